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
 * Tells whether this pod is ready. The pod becomes ready with the first connection to a database
 * that has the schema, and then stays ready. If pods did not stay ready, a database that is not
 * available for a minute would make all of them unready. Clients would then get an error page from
 * the load balancer instead of a 503 with {@code Retry-After}. A pod that never connects to the
 * database, for example because of a wrong password, never becomes ready, and the rollout fails.
 */
public final class Readiness implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Readiness.class);
    // How long the readiness probe's request waits for a check. The timeout of the probe is two
    // seconds.
    private static final long LIMIT_MILLIS = 1500;
    // Time between two checks. It is shorter than the usual scrape interval of Prometheus, and long
    // enough to open a new connection for each check.
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    private final SchemaCheck check;
    // There is one thread: requests that come while a check hangs wait for the same check.
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
     * @param metrics the registry for the gauge {@code database.available}, whose value is at
     *     most 10 seconds old
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
            // The service logs only changes: an outage writes one line at its start and one at its
            // end.
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
            return missing.isEmpty() ? null : "it has not got the migrations " + missing;
        } catch (SQLException | RuntimeException e) {
            // Catches every RuntimeException, because a scheduled task that throws does not run
            // again.
            return String.valueOf(e.getMessage()).strip().replaceAll("\\s+", " ");
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
