package com.example.orders.api;

import io.javalin.http.Handler;
import java.util.concurrent.Semaphore;

/**
 * Limits how many requests for orders run at the same time, so that threads stay free for the
 * health routes. While a database hangs, each request for orders holds a thread for seconds.
 * Without the limit, these requests would take all threads, the health routes would not answer, and
 * Kubernetes would restart a process that only waits.
 */
final class Admission {
    private final Semaphore places;

    Admission(int places) {
        this.places = new Semaphore(places);
    }

    Handler limit(Handler handler) {
        return context -> {
            if (!places.tryAcquire()) {
                context.header("Retry-After", "1");
                throw new ProblemException(503, "The service has too many open requests. Try again.");
            }
            try {
                handler.handle(context);
            } finally {
                places.release();
            }
        };
    }
}
