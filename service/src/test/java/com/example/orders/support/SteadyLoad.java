package com.example.orders.support;

import com.example.orders.support.Client.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Sends requests at a fixed rate, and does not wait for the responses of earlier requests. Half of
 * the requests create an order, with an idempotency key. The other requests read a page.
 */
public final class SteadyLoad implements AutoCloseable {
    private static final int PER_SECOND = 50;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Future<Result>> results = new ArrayList<>();
    private final Client client;
    private final Thread sender = new Thread(this::send);
    private volatile boolean stop;

    /**
     * The result of one request.
     *
     * @param sentAt when this class sent the request, as a value of {@link System#nanoTime}
     * @param answer the response, or null if the connection broke
     */
    public record Result(long sentAt, Answer answer) {
        public boolean isGood() {
            return answer != null && (answer.status() == 200 || answer.status() == 201);
        }
    }

    public SteadyLoad(Client client) {
        this.client = client;
        sender.start();
    }

    private void send() {
        long start = System.nanoTime();
        for (int i = 0; !stop; i++) {
            long at = start + TimeUnit.SECONDS.toNanos(i) / PER_SECOND;
            try {
                TimeUnit.NANOSECONDS.sleep(at - System.nanoTime());
            } catch (InterruptedException e) {
                return;
            }
            int number = i;
            results.add(threads.submit(() -> request(number)));
        }
    }

    private Result request(int number) throws InterruptedException {
        long sentAt = System.nanoTime();
        try {
            Answer answer = number % 2 == 0
                    ? client.create(Client.order("Ada", 1), "Idempotency-Key", "order-" + number)
                    : client.get("/orders?limit=1");
            return new Result(sentAt, answer);
        } catch (IOException e) {
            return new Result(sentAt, null);
        }
    }

    /** Stops sending, and waits for the responses. */
    public List<Result> stop() throws InterruptedException, ExecutionException {
        stop = true;
        sender.join();
        List<Result> all = new ArrayList<>();
        for (Future<Result> result : results) {
            all.add(result.get());
        }
        return all;
    }

    @Override
    public void close() {
        stop = true;
        sender.interrupt();
        threads.shutdownNow();
    }
}
