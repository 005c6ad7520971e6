package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.config.DatabaseConfiguration;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.ServiceProcess.Result;
import com.example.orders.support.TestDatabase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {
    private static final Map<String, String> NO_DATABASE =
            ServiceProcess.environment(new DatabaseConfiguration("localhost", 1, "orders", "orders", "s3cret", 1));

    @ParameterizedTest
    @ValueSource(strings = {"", "serve", "migrate", "seed", "expire-unpaid", "export"})
    void helpNeedsNoConfiguration(String command) throws Exception {
        Result result =
                ServiceProcess.run(Map.of(), (command + " --help").strip().split(" "));
        assertEquals(0, result.exitCode(), result.err());
        assertTrue(result.out().startsWith(("Usage: services-orders " + command).strip()), result.out());
        assertEquals("", result.err());
    }

    @Test
    void versionIsThatOfTheEnvironment() throws Exception {
        Result result = ServiceProcess.run(Map.of("DD_VERSION", "abc123"), "--version");
        assertEquals(0, result.exitCode());
        assertTrue(result.out().startsWith("services-orders abc123 (content "), result.out());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "unknown",
                "serve --unknown",
                "seed",
                "seed --count many",
                "seed --count 0",
                "expire-unpaid --older-than 48",
                "export --since yesterday --format csv",
                "export --since +999999999-01-01 --format csv",
                "export --since 7d --format xml",
                "export --format csv",
                "export --since 7d --continue nightly --format csv",
                "export --continue ../nightly --format csv",
                "export --continue a/b --format csv",
                "export --continue .. --format csv",
                "export --from 2026-01-01 --format csv",
                "export --from 2026-01-01 --to 2026-01-02 --zone Mars --format csv",
                "export --from 2026-01-01 --to 7d --format csv",
                "migrate --to V12",
                "migrate --wait 5x"
            })
    void wrongUsageExitsWith2(String arguments) throws Exception {
        Result result = ServiceProcess.run(NO_DATABASE, arguments.isEmpty() ? new String[0] : arguments.split(" "));
        assertEquals(2, result.exitCode(), result.err());
        assertOneLine(result);
        assertEquals("", result.out());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "migrate --wait 0s",
                "seed --count 1",
                "expire-unpaid --older-than 48h",
                "export --since 7d --format csv"
            })
    void databaseThatIsAwayExitsWith1(String arguments) throws Exception {
        Result result = ServiceProcess.run(NO_DATABASE, arguments.split(" "));
        assertEquals(1, result.exitCode(), result.err());
        List<String> lines = result.err().lines().toList();
        JsonNode cause = new ObjectMapper().readTree(lines.get(0));
        assertEquals("ERROR", cause.path("level").textValue());
        assertTrue(cause.path("stack_trace").textValue().contains("Connection refused"), result.err());
        assertEquals(2, lines.size(), result.err());
        assertTrue(lines.get(1).startsWith("services-orders"), result.err());
        assertTrue(lines.get(1).contains("localhost:1 refused"), result.err());
        assertTrue(!result.err().contains("s3cret"), result.err());
        assertEquals("", result.out());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "export --from 2026-01-02 --to 2026-01-02 --format csv",
                "export --from 2026-01-01 --to 9999-01-01 --format csv"
            })
    void periodThatIsEmptyOrNotOverExitsWith2(String arguments) throws Exception {
        Result result = ServiceProcess.run(
                ServiceProcess.environment(TestDatabase.migrated().configuration()), arguments.split(" "));
        assertEquals(2, result.exitCode(), result.err());
        assertOneLine(result);
        assertEquals("", result.out());
    }

    @Test
    void versionThatTheJarDoesNotHaveExitsWith2() throws Exception {
        Map<String, String> environment =
                ServiceProcess.environment(TestDatabase.migrated().configuration());
        Result result = ServiceProcess.run(environment, "migrate", "--to", "9999");
        assertEquals(2, result.exitCode(), result.err());
        assertOneLine(result);
        assertTrue(result.err().contains("this jar has no migration with version 9999"), result.err());
        assertEquals(0, ServiceProcess.run(environment, "migrate", "--to", "2").exitCode());
    }

    @Test
    void missingVariableIsNamed() throws Exception {
        Result result = ServiceProcess.run(Map.of(), "serve");
        assertEquals(2, result.exitCode());
        assertOneLine(result);
        assertTrue(result.err().contains("DATABASE_HOST is not set"), result.err());
    }

    @Test
    void migrateWaitsForTheDatabase() throws Exception {
        int port = ServiceProcess.freePort();
        Map<String, String> environment = ServiceProcess.environment(
                new DatabaseConfiguration("localhost", port, "postgres", "postgres", "postgres", 1));
        try (ServiceProcess migrate = ServiceProcess.start(environment, "migrate")) {
            migrate.awaitLog("waiting for the database");
            try (EmbeddedPostgres database =
                    EmbeddedPostgres.builder().setPort(port).start()) {
                Result result = migrate.await();
                assertEquals(0, result.exitCode(), result.err());
                assertTrue(result.err().contains("applied 4 migrations"), result.err());
                assertEquals(0, ServiceProcess.run(environment, "migrate").exitCode(), "on port " + database.getPort());
            }
        }
    }

    @Test
    void expireUnpaidExpiresOldOrdersOnly() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        for (int i = 0; i < 3; i++) {
            database.insertOrder("old", "49 hours");
        }
        database.insertOrder("new", "47 hours");
        database.insertOrder("paid", "49 hours");
        database.execute("UPDATE orders SET status = 'paid' WHERE customer = 'paid'");
        Map<String, String> environment = ServiceProcess.environment(database.configuration());
        environment.put("DD_SERVICE", "orders \"quoted\"");
        environment.put("DD_ENV", "test");
        environment.put("DD_VERSION", "abc123");

        Result result = ServiceProcess.run(environment, "expire-unpaid", "--older-than", "48h");

        assertEquals(0, result.exitCode(), result.err());
        JsonNode line = new ObjectMapper().readTree(result.err());
        assertEquals("expired 3 orders", line.path("message").textValue());
        assertEquals(3, line.path("expired").intValue());
        assertTrue(line.path("expired").isNumber());
        assertEquals("orders \"quoted\"", line.path("dd.service").textValue());
        assertEquals("test", line.path("dd.env").textValue());
        assertEquals("abc123", line.path("dd.version").textValue());
        assertEquals(3, database.number("SELECT count(*) FROM orders WHERE status = 'expired' AND customer = 'old'"));
        assertEquals(1, database.number("SELECT count(*) FROM orders WHERE status = 'unpaid'"));
    }

    @Test
    void seedIfEmptyAddsOrdersOnce() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        for (int run = 0; run < 2; run++) {
            Result result = ServiceProcess.run(
                    ServiceProcess.environment(database.configuration()), "seed", "--count", "3", "--if-empty");
            assertEquals(0, result.exitCode(), result.err());
            assertEquals(3, database.number("SELECT count(*) FROM orders"));
        }
    }

    @Test
    void seedAddsOrdersThatTheApiCouldHaveMade() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        Result result =
                ServiceProcess.run(ServiceProcess.environment(database.configuration()), "seed", "--count", "501");
        assertEquals(0, result.exitCode(), result.err());
        assertEquals(501, database.number("SELECT count(*) FROM orders"));
        assertEquals(
                0,
                database.number("SELECT count(*) FROM orders o WHERE total IS DISTINCT FROM"
                        + " (SELECT sum(quantity * unit_price) FROM order_items WHERE order_id = o.id)"));
    }

    private static void assertOneLine(Result result) {
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().startsWith("services-orders"), result.err());
        assertTrue(!result.err().contains("s3cret"), result.err());
    }
}
