package com.example.orders.api;

import io.javalin.http.Context;
import io.javalin.http.Handler;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/**
 * Reads bodies that no handler has read. If a body is not read to its end, Jetty closes the
 * connection after the answer, but the answer does not say so, and the client's next request on
 * this connection fails. A body that never comes blocks a thread, so only a few requests wait for
 * their bodies. The answers to all other such requests have the header {@code Connection: close}.
 */
final class UnreadBodies implements Handler {
    private final Semaphore places;

    UnreadBodies(int places) {
        this.places = new Semaphore(places);
    }

    @Override
    public void handle(Context context) throws IOException {
        ServletInputStream body = context.req().getInputStream();
        if (body.isFinished() || !hasBody(context.req())) {
            return;
        }
        if (!places.tryAcquire()) {
            context.header("Connection", "close");
            return;
        }
        try {
            body.readNBytes(RequestBody.MAX_BYTES);
        } catch (IOException e) {
            // The client has closed the connection, so there is nothing to read.
        } finally {
            places.release();
        }
    }

    private static boolean hasBody(HttpServletRequest request) {
        return request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null;
    }
}
