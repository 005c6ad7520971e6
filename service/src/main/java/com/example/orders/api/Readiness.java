package com.example.orders.api;

import com.example.orders.store.SchemaCheck;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.flywaydb.core.api.FlywayException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Becomes ready with the first connection to a database that has the schema, and stays so. Were it not to,
 * a database that is away for a minute would make all pods unready, and clients would get an error page of
 * the load balancer in place of a 503 that tells them to try again. A pod that never reached the database,
 * as with a wrong password, is never ready, and its rollout fails.
 */
public final class Readiness implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Readiness.class);
    // The probe waits for two seconds.
    private static final long LIMIT_MILLIS = 1500;
    // Shorter than Prometheus' usual interval, and rare enough for a new connection each time.
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    private final SchemaCheck check;
    // One thread: callers that come while a check hangs share it, and do not pile up.
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    task -> {
                        Thread thread = new Thread(task, "readiness");
                        thread.setDaemon(true);
                        return thread;
                    });
    private CompletableFuture<Boolean> running = CompletableFuture.completedFuture(false);
    private volatile boolean ready;
    private volatile boolean available;
    private String lastProblem;

    /** @param metrics gets the gauge {@code database.available}, which is at most 10 seconds old */
    public Readiness(SchemaCheck check, MeterRegistry metrics) {
        this.check = check;
        Gauge.builder("database.available", () -> available ? 1 : 0)
                .description("1 if the last attempt to connect to the database succeeded, else 0")
                .register(metrics);
        thread.scheduleWithFixedDelay(this::query, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    boolean isReady() {
        if (ready) {
            return true;
        }
        try {
            return current().get(LIMIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private synchronized CompletableFuture<Boolean> current() {
        if (running.isDone()) {
            running = CompletableFuture.supplyAsync(this::query, thread);
        }
        return running;
    }

    private boolean query() {
        String problem = problem();
        available = problem == null;
        ready = ready || available;
        if (!Objects.equals(problem, lastProblem)) {
            // One line for each change: an outage of an hour is two.
            if (problem == null) {
                log.info("the database is available again");
            } else {
                log.warn("the database is not available: {}", problem);
            }
            lastProblem = problem;
        }
        return ready;
    }

    /** @return null if there is none */
    private String problem() {
        try {
            check.connect();
            List<String> missing = ready ? List.of() : check.missing();
            return missing.isEmpty() ? null : "it has not got the migrations " + missing;
        } catch (SQLException | FlywayException e) {
            return e.getMessage().strip().replaceAll("\\s+", " ");
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
