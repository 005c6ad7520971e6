package com.example.orders.api;

import com.example.orders.config.BuildInfo;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

final class HealthRoutes {
    private final byte[] live;
    private final Readiness readiness;
    private final BooleanSupplier draining;

    HealthRoutes(String version, Readiness readiness, BooleanSupplier draining) {
        // The liveness route does not use the database, because a restart of this process does not
        // repair a database.
        this.live = Json.bytes(new TreeMap<>(
                Map.of("status", "up", "version", version, "commit", version, "contentHash", BuildInfo.contentHash())));
        this.readiness = readiness;
        this.draining = draining;
    }

    void register(RoutesConfig routes) {
        routes.get("/health/live", this::live);
        routes.head("/health/live", this::live);
        routes.get("/health/ready", this::ready);
        routes.head("/health/ready", this::ready);
    }

    private void live(Context context) {
        context.contentType("application/json").result(live);
    }

    private void ready(Context context) {
        if (draining.getAsBoolean()) {
            throw new ProblemException(503, "The service is shutting down.");
        }
        if (!readiness.isReady()) {
            throw new ProblemException(503, "The database was not available or not migrated since the start.");
        }
        context.contentType("application/json").result(Json.bytes(Map.of("status", "ready")));
    }
}
