package com.example.orders.api;

import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.router.Endpoint;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Measures the duration of requests by route. */
final class RequestMetrics {
    private static final Logger log = LoggerFactory.getLogger(RequestMetrics.class);

    private final MeterRegistry registry;

    RequestMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void register(JavalinConfig config) {
        config.requestLogger.http((context, millis) -> record(context, millis));
    }

    private void record(Context context, float millis) {
        // Measures only routes that exist: a request to any other path must not create a new time
        // series.
        Endpoint endpoint = context.endpoints().lastHttpEndpoint();
        String method = endpoint == null ? "none" : endpoint.method.name();
        String route = endpoint == null ? "none" : endpoint.path;
        Timer.builder("http.server.requests")
                .tag("method", method)
                .tag("route", route)
                .tag("status", Integer.toString(context.statusCode()))
                .register(registry)
                .record((long) (millis * 1000), TimeUnit.MICROSECONDS);
        log.debug("{} {} {} in {} ms", method, route, context.statusCode(), millis);
    }
}
