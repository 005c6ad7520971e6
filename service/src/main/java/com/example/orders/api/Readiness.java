package com.example.orders.api;

import com.example.orders.store.SchemaCheck;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Asks the database, but answers in time also when the database does not. */
public final class Readiness {
    private static final long LIMIT_MILLIS = 1500;

    private final SchemaCheck check;
    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(
                    task -> {
                        Thread thread = new Thread(task, "readiness");
                        thread.setDaemon(true);
                        return thread;
                    });
    private CompletableFuture<Boolean> running = CompletableFuture.completedFuture(false);

    public Readiness(SchemaCheck check) {
        this.check = check;
    }

    boolean isReady() {
        try {
            return current().get(LIMIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** One check at a time: callers that come while one hangs share it, and do not pile up threads. */
    private synchronized CompletableFuture<Boolean> current() {
        if (running.isDone()) {
            running = CompletableFuture.supplyAsync(this::query, thread);
        }
        return running;
    }

    private boolean query() {
        try {
            check.run();
            return true;
        } catch (SQLException e) {
            return false;
        }
    }
}
