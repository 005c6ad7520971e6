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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides whether this pod is ready. The pod becomes ready with the first connection to a database
 * that has all migrations of this jar. Then the pod stays ready until it shuts down. Otherwise, all
 * pods would become unready if the database were not available for a minute. Clients would then get
 * an error page from the load balancer, and not a 503 with {@code Retry-After}. A pod that never
 * connects to the database, for example because of a wrong password, never becomes ready, and the
 * rollout fails.
 */
public final class Readiness implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Readiness.class);
    // How long a request of the readiness probe waits for a check. This time must be shorter than
    // the timeout of the probe, which is two seconds.
    private static final long LIMIT_MILLIS = 1500;
    // Time between two checks. This time is shorter than the usual scrape interval of Prometheus.
    // With a shorter time, the check would open new connections too often.
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    private final SchemaCheck check;
    // One thread is enough, because requests that come during a check wait for the result of this
    // check.
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "readiness");
        thread.setDaemon(true);
        return thread;
    });
    private CompletableFuture<Boolean> running = CompletableFuture.completedFuture(false);
    private volatile boolean ready;
    private volatile boolean available;
    private String lastProblem;

    /**
     * @param metrics the registry for the gauge {@code database.available}, which each check
     *     updates
     */
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
            // The service logs only changes: usually one line at the start of an outage, and one
            // line at its end.
            if (problem == null) {
                log.info("the database is available again");
            } else {
                log.warn("the database is not available: {}", problem);
            }
            lastProblem = problem;
        }
        return ready;
    }

    /** @return why the database is not available, or null if it is available */
    private String problem() {
        try {
            check.connect();
            List<String> missing = ready ? List.of() : check.missing();
            return missing.isEmpty() ? null : "it does not have the migrations " + missing;
        } catch (SQLException | RuntimeException e) {
            // This method catches every RuntimeException, because the executor does not run a task
            // again after the task has thrown an exception.
            return String.valueOf(e.getMessage()).strip().replaceAll("\\s+", " ");
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
