package com.example.orders.api;

import io.javalin.http.Context;
import io.javalin.http.Handler;
import java.util.concurrent.Semaphore;

/**
 * Limits how many requests for orders run at the same time. So some threads stay free to answer
 * further requests with an error. While the database does not answer, each request for orders
 * blocks a thread for seconds. Without the limit, these requests would block all threads, and
 * further requests would get no response.
 */
final class Admission {
    private final Semaphore places;

    Admission(int places) {
        this.places = new Semaphore(places);
    }

    Handler limit(Handler handler) {
        return context -> {
            if (!places.tryAcquire()) {
                throw refused(context);
            }
            try {
                handler.handle(context);
            } finally {
                places.release();
            }
        };
    }

    static ProblemException refused(Context context) {
        context.header("Retry-After", "1");
        return new ProblemException(503, "The service has too many open requests. Try again.");
    }
}
