package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests retries: a client sends a request again, because it does not know the outcome of the first
 * request.
 */
class RetryTest {
    private static final String KEY = "Idempotency-Key";

    private TestDatabase database;
    private TestApi api;
    private Client client;

    @BeforeEach
    void start() throws Exception {
        database = TestDatabase.migrated();
        // The service must set the isolation level itself, and must not depend on this default of
        // the database.
        database.execute("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation ="
                + " ''repeatable read''', current_database()); END $$");
        api = new TestApi(database.configuration());
        client = api.client();
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @ParameterizedTest
    @CsvSource({"pay,paid", "cancel,cancelled"})
    void timeOutEndsTheStatementInTheDatabase(String action, String status) throws Exception {
        String order = newOrder();
        try (Connection other = database.connect()) {
            other.setAutoCommit(false);
            execute(other, "SELECT FROM orders FOR UPDATE");
            Answer timedOut = client.post(order + "/" + action);
            assertEquals(503, timedOut.status(), timedOut.text());
            assertNotNull(timedOut.header("Retry-After"));
            assertEquals(0, database.number("SELECT count(*) FROM pg_locks WHERE NOT granted"));
            other.commit();
        }
        assertEquals("unpaid", client.get(order).json().path("status").textValue());
        Answer again = client.post(order + "/" + action);
        assertEquals(200, again.status(), again.text());
        assertEquals(status, again.json().path("status").textValue());
    }

    @ParameterizedTest
    @CsvSource({"pay,cancel", "cancel,pay"})
    void repeatedKeyGivesTheFirstAnswer(String action, String other) throws Exception {
        String order = newOrder();
        Answer first = send(order, action, "k");
        Answer second = send(order, action, "k");
        assertEquals(200, second.status(), second.text());
        assertEquals(first.text(), second.text());
        assertNull(first.header("Idempotent-Replayed"));
        assertEquals("true", second.header("Idempotent-Replayed"));
        // The service has stored the key of the request that settled the order, so the service
        // refuses a request with another key.
        assertEquals(409, send(order, action, "another").status());
        assertEquals(409, send(order, other, "another").status());
        // The key belongs to one request, so the service refuses a different request with this key.
        assertEquals(422, send(order, other, "k").status());
        assertEquals(422, send(newOrder(), action, "k").status());
        assertEquals(1, database.number("SELECT count(*) FROM orders WHERE status <> 'unpaid'"));
    }

    @Test
    void refusedRequestIsRefusedAgain() throws Exception {
        String order = newOrder();
        database.execute("UPDATE orders SET status = 'expired'");
        Answer first = send(order, "pay", "k");
        assertEquals(409, first.status());
        assertEquals(first.text(), send(order, "pay", "k").text());
    }

    @Test
    void badKeyIsRefused() throws Exception {
        assertEquals(400, send(newOrder(), "pay", "two words").status());
    }

    @Test
    void createdOrderIsAnsweredAsItWasFirst() throws Exception {
        Answer first = client.create(Client.order("Ada", 1), KEY, "k");
        client.post(first.header("Location") + "/pay");
        Answer second = client.create(Client.order("Ada", 1), KEY, "k");
        assertEquals(first.text(), second.text());
        assertEquals("true", second.header("Idempotent-Replayed"));
    }

    @Test
    void repetitionWaitsForTheFirstRequest() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        Future<Answer> first;
        Future<Answer> second;
        try (Connection other = database.connect()) {
            other.setAutoCommit(false);
            execute(other, "LOCK TABLE order_items IN EXCLUSIVE MODE");
            first = threads.submit(() -> client.create(Client.order("Ada", 1), KEY, "k"));
            awaitWaiting(1);
            second = threads.submit(() -> client.create(Client.order("Ada", 1), KEY, "k"));
            awaitWaiting(2);
            other.commit();
        }
        assertEquals(201, first.get().status());
        assertEquals(201, second.get().status(), second.get().text());
        assertEquals(first.get().text(), second.get().text());
        assertEquals("true", second.get().header("Idempotent-Replayed"));
        threads.shutdown();
    }

    @Test
    void requestThatMayBeStoredIsNotCalledRepeatable() throws Exception {
        database.endConnectionsAtCommitOf("AFTER INSERT ON orders");
        Answer unknown = client.create(Client.order("Ada", 1));
        assertEquals(500, unknown.status(), unknown.text());
        assertNull(unknown.header("Retry-After"));
        assertTrue(unknown.text().contains("may exist or not"), unknown.text());
        Answer repeatable = client.create(Client.order("Ada", 1), KEY, "k");
        assertEquals(503, repeatable.status(), repeatable.text());
        assertNotNull(repeatable.header("Retry-After"));
        database.keepConnections("orders");
        assertEquals(201, client.create(Client.order("Ada", 1), KEY, "k").status());
        assertEquals(1, database.number("SELECT count(*) FROM orders"));
    }

    private void awaitWaiting(int count) throws Exception {
        while (database.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        + " AND wait_event_type = 'Lock'")
                < count) {
            Thread.sleep(20);
        }
    }

    private String newOrder() throws Exception {
        return client.create(Client.order("Ada", 1)).header("Location");
    }

    private Answer send(String order, String action, String key) throws Exception {
        return client.send("POST", order + "/" + action, BodyPublishers.noBody(), KEY, key);
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
