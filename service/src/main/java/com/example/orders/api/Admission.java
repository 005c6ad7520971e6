package com.example.orders.api;

import io.javalin.http.Handler;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Limits how many requests for orders run at the same time, so that threads stay free to refuse the
 * others. While a database hangs, each request for orders holds a thread for seconds. Without the
 * limit, these requests would take all threads, and further requests would wait without an answer.
 */
final class Admission {
    private final Semaphore places;
    private final Duration wait;

    Admission(int places) {
        this(places, Duration.ZERO);
    }

    /** @param wait how long a request waits for a place before it is refused */
    Admission(int places, Duration wait) {
        // Fair, so that no request waits while later ones pass it.
        this.places = new Semaphore(places, true);
        this.wait = wait;
    }

    Handler limit(Handler handler) {
        return context -> {
            if (!places.tryAcquire(wait.toMillis(), TimeUnit.MILLISECONDS)) {
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
