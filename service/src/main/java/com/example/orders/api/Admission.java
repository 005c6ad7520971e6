package com.example.orders.api;

import io.javalin.http.Handler;
import java.util.concurrent.Semaphore;

/**
 * Keeps threads free for the health routes. While a database hangs, each request for orders holds its
 * thread for seconds; without a limit they would take all of them, and a process that only waits would
 * look dead and be restarted.
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
