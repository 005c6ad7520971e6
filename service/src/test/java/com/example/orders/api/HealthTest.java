package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.config.DatabaseConfiguration;
import com.example.orders.store.DataSources;
import com.example.orders.store.Migrations;
import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class HealthTest {
    @Test
    void liveTellsWhatRuns() throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration())) {
            Answer live = api.client().get("/health/live");
            assertEquals(200, live.status());
            assertEquals("up", live.json().path("status").textValue());
            assertEquals("test-version", live.json().path("version").textValue());
            assertEquals("test-version", live.json().path("commit").textValue());
            assertTrue(live.json().path("contentHash").textValue().matches("[0-9a-z]+"), live.text());
            assertEquals("test-version", live.header("Service-Version"));
        }
    }

    @Test
    void readyOnlyWithTheSchema() throws Exception {
        TestDatabase database = TestDatabase.empty();
        try (TestApi api = new TestApi(database.configuration())) {
            assertEquals(503, api.client().get("/health/ready").status());
            assertEquals(503, api.client().get("/orders").status());
            new Migrations(DataSources.unpooled(database.configuration())).migrate();
            assertEquals(200, api.client().get("/health/ready").status());
        }
    }

    @Test
    void databaseThatStopsMakesItNotReady() throws Exception {
        EmbeddedPostgres server = TestDatabase.start();
        DatabaseConfiguration database = TestDatabase.configuration(server, "postgres");
        new Migrations(DataSources.unpooled(database)).migrate();
        try (TestApi api = new TestApi(database)) {
            assertEquals(200, api.client().get("/health/ready").status());
            server.close();
            assertEquals(503, api.client().get("/health/ready").status());
            assertEquals(200, api.client().get("/health/live").status());
            Answer refused = api.client().create(Client.order("Ada", 1));
            assertEquals(503, refused.status());
            assertEquals("application/problem+json", refused.header("Content-Type"));
        } finally {
            server.close();
        }
    }

    @Test
    void databaseThatHangsMakesItNotReadyInTime() throws Exception {
        // It takes connections into its backlog and never says a word.
        try (ServerSocket silent = new ServerSocket(0);
                TestApi api =
                        new TestApi(
                                new DatabaseConfiguration(
                                        "localhost", silent.getLocalPort(), "orders", "orders", "secret", 2))) {
            long start = System.nanoTime();
            assertEquals(503, api.client().get("/health/ready").status());
            Duration taken = Duration.ofNanos(System.nanoTime() - start);
            // The promise is two seconds; the rest is for a slow machine.
            assertTrue(taken.compareTo(Duration.ofSeconds(6)) < 0, taken.toString());
        }
    }

    @Test
    void metricsCountRequestsByRoute() throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration())) {
            api.client().get("/orders/6e7ada4b-8d72-4883-bae5-aab2745e6ef9");
            api.client().get("/invented");
            String metrics = api.client().get("/metrics").text();
            assertTrue(
                    metrics.contains(
                            "http_server_requests_seconds_count{method=\"GET\",route=\"/orders/{id}\",status=\"404\"} 1"),
                    metrics);
            assertTrue(metrics.contains("hikaricp_connections_active{pool=\"orders\"}"), metrics);
            assertTrue(!metrics.contains("invented"), metrics);
        }
    }
}
