package com.example.orders.api;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Limits the time and the memory for clients that send or read slowly. While the server waits for a
 * client, the server uses no thread, but it keeps the body or the response in memory. After
 * {@link #LIMIT}, the server ends the request. If the bodies and responses of all these clients use
 * too much memory, the server ends the requests that have waited longest. The wait for a client
 * that is not slow takes only milliseconds, so the server usually does not end the request of such
 * a client.
 */
final class SlowClients {
    /**
     * Longest wait for one body or one response. The size of the largest body is 256 KiB, and the
     * size of the largest response is about 1 MB. So a client must send the largest body at a rate
     * of at least 26 kB/s, and read the largest response at a rate of at least 100 kB/s.
     */
    static final Duration LIMIT = Duration.ofSeconds(10);

    private final Set<Wait> waits = new LinkedHashSet<>();
    private final Duration limit;
    private final long maxBytes;
    private final Counter ended;
    private long bytes;

    /**
     * @param maxBytes maximum memory for the bodies and responses of all clients that the server
     *     waits for
     */
    SlowClients(Duration limit, long maxBytes, MeterRegistry metrics) {
        this.limit = limit;
        this.maxBytes = maxBytes;
        this.ended = Counter.builder("http.server.slow.clients")
                .description("Requests that ended because the client sent or read too slowly")
                .register(metrics);
    }

    /** The time in which the server waits for one client to send a body or to read a response. */
    final class Wait {
        private final Runnable end;
        private Scheduler.Task timer;
        private long held;

        private Wait(Runnable end) {
            this.end = end;
        }

        /** Adds bytes that the server keeps in memory for this client. */
        void hold(int more) {
            List<Wait> longest;
            synchronized (waits) {
                if (!waits.contains(this)) {
                    return;
                }
                held += more;
                bytes += more;
                longest = overLimit();
            }
            longest.forEach(Wait::endNow);
        }

        /**
         * @return whether this call has ended the wait. False if an earlier call or a limit has
         *     ended the wait
         */
        boolean done() {
            synchronized (waits) {
                if (!waits.remove(this)) {
                    return false;
                }
                bytes -= held;
            }
            timer.cancel();
            return true;
        }

        private void endNow() {
            ended.increment();
            end.run();
        }

        private void timeOut() {
            if (done()) {
                endNow();
            }
        }
    }

    /** @param end function that ends the request of a client that is too slow */
    Wait begin(Scheduler scheduler, Runnable end) {
        Wait wait = new Wait(end);
        synchronized (waits) {
            waits.add(wait);
            wait.timer = scheduler.schedule(wait::timeOut, limit.toMillis(), TimeUnit.MILLISECONDS);
        }
        return wait;
    }

    private List<Wait> overLimit() {
        List<Wait> longest = new ArrayList<>();
        Iterator<Wait> all = waits.iterator();
        while (bytes > maxBytes && all.hasNext()) {
            Wait wait = all.next();
            all.remove();
            bytes -= wait.held;
            wait.timer.cancel();
            longest.add(wait);
        }
        return longest;
    }
}
