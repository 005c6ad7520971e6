package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.config.DatabaseConfiguration;
import com.example.orders.config.Secret;
import com.example.orders.store.DataSources;
import com.example.orders.store.Migrations;
import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import com.example.orders.support.TestServer;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HealthTest {
    @Test
    void liveTellsWhatRuns() throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration())) {
            Answer live = api.management().get("/health/live");
            assertEquals(200, live.status());
            assertEquals("up", live.json().path("status").textValue());
            assertEquals("test-version", live.json().path("version").textValue());
            assertEquals("test-version", live.json().path("commit").textValue());
            assertTrue(live.json().path("contentHash").textValue().matches("[0-9a-z]+"), live.text());
            assertEquals("test-version", live.header("Service-Version"));
        }
    }

    @Test
    void apiDoesNotServeHealthAndMetrics() throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration())) {
            for (String path : List.of("/health/live", "/health/ready", "/metrics", "/health", "/")) {
                Answer answer = api.client().get(path);
                assertEquals(404, answer.status(), path);
                assertEquals(
                        "There is nothing at this path.",
                        answer.json().path("detail").textValue());
            }
        }
    }

    @Test
    void managementPortDoesNotServeOrders() throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration())) {
            assertEquals(404, api.management().get("/orders").status());
            assertEquals(404, api.management().create(Client.order("Ada", 1)).status());
        }
    }

    @Test
    void readyOnlyWithTheSchema() throws Exception {
        TestDatabase database = TestDatabase.empty();
        try (TestApi api = new TestApi(database.configuration())) {
            assertEquals(503, api.management().get("/health/ready").status());
            assertEquals(503, api.client().get("/orders").status());
            new Migrations(DataSources.unpooled(database.configuration())).migrate();
            assertEquals(200, api.management().get("/health/ready").status());
        }
    }

    @Test
    void podThatCannotReachItsDatabaseIsNeverReady(@TempDir Path directory) throws Exception {
        try (TestServer server = TestServer.start(directory, "right", Map.of());
                TestApi api = new TestApi(server.configuration("orders", Secret.of("wrong")))) {
            for (int i = 0; i < 5; i++) {
                assertEquals(503, api.management().get("/health/ready").status());
            }
            assertEquals(200, api.management().get("/health/live").status());
            assertTrue(api.management().get("/metrics").text().contains("database_available 0"));
        }
    }

    @Test
    void schemaOfANewerVersionIsEnough() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        database.execute("INSERT INTO flyway_schema_history SELECT installed_rank + 1, '999999', 'later', type,"
                + " 'V999999__later.sql', 1, installed_by, now(), 1, true FROM flyway_schema_history"
                + " ORDER BY installed_rank DESC LIMIT 1");
        try (TestApi api = new TestApi(database.configuration())) {
            assertEquals(200, api.management().get("/health/ready").status());
        }
    }

    @Test
    void schemaWithoutTheLastMigrationIsNotEnough() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        database.execute("DELETE FROM flyway_schema_history");
        try (TestApi api = new TestApi(database.configuration())) {
            assertEquals(503, api.management().get("/health/ready").status());
        }
    }

    @Test
    void databaseThatFailsOverCosts503sAndNoReadiness(@TempDir Path directory) throws Exception {
        try (TestServer server = TestServer.start(directory, "orders", Map.of());
                TestApi api = new TestApi(server.configuration("orders", Secret.of("orders")))) {
            Client client = api.client();
            Client management = api.management();
            assertEquals(200, management.get("/health/ready").status());
            assertEquals(201, client.create(Client.order("Ada", 1)).status());

            server.stop();
            do {
                assertUnavailable(client.create(Client.order("Ada", 1)));
            } while (!management.get("/metrics").text().contains("database_available 0"));
            // The service has found that the database is not available, but the pod stays ready.
            assertEquals(200, management.get("/health/ready").status());
            assertEquals(200, management.get("/health/live").status());

            server.comeBack();
            await(client);
            for (int i = 0; i < 20; i++) {
                assertEquals(201, client.create(Client.order("Ada", 1)).status());
            }
        }
    }

    @Test
    void serverThatWasAStandbyIsLeftForTheNewPrimary(@TempDir Path directory) throws Exception {
        try (TestServer server = TestServer.start(directory, "orders", Map.of());
                TestApi api = new TestApi(server.configuration("orders", Secret.of("orders")))) {
            Client client = api.client();
            // From now on, new connections are read-only, as if the host name still pointed to the
            // standby.
            server.execute("ALTER ROLE orders SET default_transaction_read_only = on");
            server.dropConnections();
            // The pool does not test a connection that was in use less than 500 ms ago.
            Thread.sleep(600);
            assertUnavailable(client.create(Client.order("Ada", 1)));
            server.execute("ALTER ROLE orders RESET default_transaction_read_only");
            await(client);
            for (int i = 0; i < 20; i++) {
                assertEquals(201, client.create(Client.order("Ada", 1)).status());
            }
        }
    }

    private static void assertUnavailable(Answer answer) {
        assertEquals(503, answer.status(), answer.text());
        assertEquals("1", answer.header("Retry-After"));
        assertEquals("application/problem+json", answer.header("Content-Type"));
    }

    /**
     * Waits until four consecutive requests succeed, because the pool may contain four broken
     * connections.
     */
    private static void await(Client client) throws Exception {
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        for (int good = 0; good < 4; ) {
            Answer answer = client.create(Client.order("Ada", 1));
            if (answer.status() == 201) {
                good++;
            } else {
                good = 0;
                assertUnavailable(answer);
                assertTrue(System.nanoTime() < end, "it did not heal");
            }
        }
    }

    @Test
    void databaseThatHangsMakesItNotReadyInTime() throws Exception {
        // The operating system accepts connections to this server, but the server never answers.
        try (ServerSocket silent = new ServerSocket(0);
                TestApi api = new TestApi(new DatabaseConfiguration(
                        "localhost", silent.getLocalPort(), "orders", "orders", "secret", 2))) {
            long start = System.nanoTime();
            assertEquals(503, api.management().get("/health/ready").status());
            Duration taken = Duration.ofNanos(System.nanoTime() - start);
            // The service must answer within two seconds. The other four seconds are a margin for a
            // slow machine.
            assertTrue(taken.compareTo(Duration.ofSeconds(6)) < 0, taken.toString());
        }
    }

    @Test
    void metricsCountRequestsByRoute() throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration())) {
            api.client().get("/orders/6e7ada4b-8d72-4883-bae5-aab2745e6ef9");
            api.client().get("/invented");
            String metrics = api.management().get("/metrics").text();
            assertTrue(
                    metrics.contains(
                            "http_server_requests_seconds_count{method=\"GET\",route=\"/orders/{id}\",status=\"404\"} 1"),
                    metrics);
            assertTrue(metrics.contains("hikaricp_connections_active{pool=\"orders\"}"), metrics);
            assertTrue(!metrics.contains("invented"), metrics);
        }
    }
}
