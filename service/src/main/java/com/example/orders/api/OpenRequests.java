package com.example.orders.api;

import java.time.Duration;
import java.util.function.Supplier;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Counts the open requests. A request is open from the time when its headers have arrived until
 * Jetty has written the last byte of its response. Jetty's GracefulHandler also counts requests,
 * but answers with status 503 if a request comes during the shutdown. In this service, requests
 * during the shutdown must succeed.
 */
final class OpenRequests extends Handler.Wrapper {
    private static final Duration POLL = Duration.ofMillis(20);

    private int open;
    private long lastChange = System.nanoTime();

    OpenRequests(Handler handler) {
        super(handler);
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        change(1);
        Request.addCompletionListener(request, failure -> change(-1));
        return super.handle(request, response, callback);
    }

    private synchronized void change(int by) {
        open += by;
        lastChange = System.nanoTime();
    }

    synchronized int count() {
        return open;
    }

    private synchronized boolean isQuietFor(Duration duration) {
        return open == 0 && System.nanoTime() - lastChange >= duration.toNanos();
    }

    /**
     * Waits until the server has had no open request for the time {@code quiet}, or until
     * {@code endNanos}.
     */
    void awaitQuiet(Supplier<Duration> quiet, long endNanos) throws InterruptedException {
        while (!isQuietFor(quiet.get()) && System.nanoTime() < endNanos) {
            Thread.sleep(POLL.toMillis());
        }
    }
}
