package com.example.orders.api;

import io.javalin.http.Context;
import io.javalin.http.Handler;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/**
 * Takes in bodies that no handler asked for. While such a body is still on its way, Jetty would close the
 * connection after an answer that did not say so, and whoever sends the next request on it fails. A body
 * that never comes holds its thread, so only a few requests wait for theirs; the answers to others say
 * that the connection closes.
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
            // The client is gone, and so is the connection that was to be kept.
        } finally {
            places.release();
        }
    }

    private static boolean hasBody(HttpServletRequest request) {
        return request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null;
    }
}
