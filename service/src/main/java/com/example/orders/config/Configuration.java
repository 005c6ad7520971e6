package com.example.orders.config;

import java.time.Duration;
import java.util.Optional;

/**
 * The configuration of the service. The values come from environment variables, which the service
 * checks once, at its start.
 */
public record Configuration(
        int port,
        int managementPort,
        DatabaseConfiguration database,
        Duration drain,
        Duration migrateWait,
        Optional<DiagnosticsConfiguration> diagnostics,
        String version) {

    public static Configuration from(Environment environment) {
        // Logback also reads this variable, and uses the level "debug" for an unknown word. So the
        // service refuses unknown words.
        environment.oneOf("LOG_LEVEL", "info", "trace", "debug", "info", "warn", "error");
        int port = environment.integer("PORT", 8080, 0, 65535);
        int managementPort = environment.integer("MANAGEMENT_PORT", 8081, 0, 65535);
        // If both variables are 0, the operating system chooses two different free ports.
        if (managementPort == port && port != 0) {
            throw new ConfigurationException("MANAGEMENT_PORT", "must differ from PORT, which is also " + port);
        }
        return new Configuration(
                port,
                managementPort,
                new DatabaseConfiguration(
                        environment.required("DATABASE_HOST"),
                        environment.integer("DATABASE_PORT", 5432, 1, 65535),
                        environment.text("DATABASE_NAME", "orders"),
                        environment.secret("DATABASE_USERNAME"),
                        environment.secret("DATABASE_PASSWORD"),
                        environment.integer("DATABASE_POOL_SIZE", 10, 1, 200),
                        environment.tls()),
                Duration.ofSeconds(environment.integer("DRAIN_SECONDS", 30, 0, 3600)),
                environment.duration("MIGRATE_WAIT", "60s"),
                environment.diagnostics(),
                environment.version());
    }
}
