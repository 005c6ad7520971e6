package com.example.orders.api;

import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.router.Endpoint;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Measures the duration of requests by route. */
final class RequestMetrics {
    private static final Logger log = LoggerFactory.getLogger(RequestMetrics.class);

    // Upper limits of the histogram's buckets. The highest limits are long, because a request may
    // wait 3 seconds for a connection, and then 10 seconds for a response from the database.
    private static final Duration[] BUCKETS = Stream.of(5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
            .map(Duration::ofMillis)
            .toArray(Duration[]::new);
    private static final int FIRST_ERROR = 400;
    private static final int FIRST_SERVER_ERROR = 500;

    private final MeterRegistry registry;

    RequestMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void register(JavalinConfig config) {
        config.requestLogger.http((context, millis) -> record(context, millis));
    }

    private void record(Context context, float millis) {
        // A request to a path without a route counts as a request to the route "none". Otherwise,
        // each such path would create a new time series.
        Endpoint endpoint = context.endpoints().lastHttpEndpoint();
        String method = endpoint == null ? "none" : endpoint.method.name();
        String route = endpoint == null ? "none" : endpoint.path;
        Timer.builder("http.server.requests")
                .tag("method", method)
                .tag("route", route)
                .tag("status", Integer.toString(context.statusCode()))
                .serviceLevelObjectives(BUCKETS)
                .register(registry)
                .record((long) (millis * 1000), TimeUnit.MICROSECONDS);
        log.atLevel(level(context.statusCode())).log("{} {} {} in {} ms", method, route, context.statusCode(), millis);
    }

    private static Level level(int status) {
        if (status >= FIRST_SERVER_ERROR) {
            return Level.WARN;
        }
        return status >= FIRST_ERROR ? Level.INFO : Level.DEBUG;
    }
}
