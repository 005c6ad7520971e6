package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.store.DataSources;
import com.example.orders.store.OrderStore;
import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.DroppingProxy;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * In this test, six clients settle the same orders. At the same time, the test breaks connections
 * between the clients and the service, and between the service and the database.
 */
class ConcurrentSettlementTest {
    private static final int ORDERS = 1000;
    private static final int DROP_ONE_OF = 20;

    /**
     * Number of the next order that the fastest client will settle. The two threads that expire
     * orders choose orders close to this order, so that the threads and the clients change the same
     * orders.
     */
    private final AtomicInteger position = new AtomicInteger(ORDERS);

    private volatile boolean done;

    private record Row(String status, String key) {}

    private record Settler(Client client, String action, String key) {
        String wanted() {
            return action.equals("pay") ? "paid" : "cancelled";
        }

        /** @return the first response that does not tell the client to try again */
        Answer settle(int order) throws InterruptedException {
            String[] headers = key == null ? new String[0] : new String[] {"Idempotency-Key", key + order};
            while (true) {
                try {
                    Answer answer = client.send(
                            "POST", "/orders/" + id(order) + "/" + action, BodyPublishers.noBody(), headers);
                    if (answer.status() != 503) {
                        return answer;
                    }
                } catch (IOException e) {
                    // The connection broke, so the client does not know the status of the order. So
                    // the client sends the request again.
                }
                Thread.sleep(5);
            }
        }
    }

    @Test
    void lastAnswerOfEachClientAgreesWithTheDatabase() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        insertOrders(database);
        ExecutorService threads = Executors.newCachedThreadPool();
        try (TestApi api = new TestApi(database.configuration());
                DroppingProxy proxy = new DroppingProxy(api.port(), DROP_ONE_OF)) {
            List<Settler> settlers = new ArrayList<>();
            for (String key : new String[] {"first-", "second-", null}) {
                for (String action : List.of("pay", "cancel")) {
                    settlers.add(new Settler(new Client(proxy.port()), action, key == null ? null : key + action));
                }
            }
            List<Future<Map<Integer, Answer>>> answers = new ArrayList<>();
            for (Settler settler : settlers) {
                answers.add(threads.submit(() -> settleAll(settler)));
            }
            Future<?> firstExpiry = threads.submit(untilDone(20, () -> expire(database, new Random(1))));
            Future<?> secondExpiry = threads.submit(untilDone(20, () -> expire(database, new Random(2))));
            Future<?> breaks = threads.submit(untilDone(100, () -> endOneConnection(database)));

            List<Map<Integer, Answer>> all = new ArrayList<>();
            for (Future<Map<Integer, Answer>> future : answers) {
                all.add(future.get());
            }
            done = true;
            for (Future<?> future : List.of(firstExpiry, secondExpiry, breaks)) {
                future.get();
            }
            assertTrue(proxy.dropped() > 0);

            Map<Integer, Row> rows = rows(database);
            for (int client = 0; client < settlers.size(); client++) {
                for (int order = 1; order <= ORDERS; order++) {
                    assertAgrees(settlers.get(client), all.get(client).get(order), order, rows.get(order));
                }
            }
        } finally {
            threads.shutdownNow();
        }
        for (String status : List.of("paid", "cancelled", "expired")) {
            assertTrue(
                    database.number("SELECT count(*) FROM orders WHERE status = '" + status + "'") > 0,
                    "no order is " + status + ", so this test did not test it");
        }
        assertEquals(0, database.number("SELECT count(*) FROM orders WHERE status = 'unpaid'"));
    }

    private static void assertAgrees(Settler settler, Answer answer, int order, Row row) {
        boolean mine = settler.key() == null
                ? row.status().equals(settler.wanted())
                : (settler.key() + order).equals(row.key());
        String told = settler + " was told of order " + order + ", which is " + row + ": " + answer.text();
        assertEquals(mine ? 200 : 409, answer.status(), told);
        if (mine) {
            assertEquals(settler.wanted(), answer.json().path("status").textValue(), told);
        }
    }

    private Map<Integer, Answer> settleAll(Settler settler) throws InterruptedException {
        Map<Integer, Answer> answers = new HashMap<>();
        for (int order = ORDERS; order >= 1; order--) {
            answers.put(order, settler.settle(order));
            position.accumulateAndGet(order - 1, Math::min);
        }
        return answers;
    }

    private Callable<Void> untilDone(long pauseMillis, Callable<?> step) {
        return () -> {
            while (!done) {
                step.call();
                Thread.sleep(pauseMillis);
            }
            return null;
        };
    }

    /**
     * Expires orders. Order n is n hours old. If a run loses its connection, the caller runs this
     * method again, in the same way as Kubernetes retries a failed Job.
     */
    private Void expire(TestDatabase database, Random random) {
        int oldest = Math.max(1, position.get() + random.nextInt(-5, 4));
        try {
            new OrderStore(DataSources.unpooled(database.configuration()))
                    .expireUnpaid(Duration.ofMinutes(oldest * 60L - 30));
        } catch (SQLException e) {
            // The test has terminated the database connection of this run. The caller's loop starts
            // the next run.
        }
        return null;
    }

    private static Void endOneConnection(TestDatabase database) throws SQLException {
        database.number("""
                SELECT count(pg_terminate_backend(pid)) FROM (
                    SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                    ORDER BY random() LIMIT 1) one
                """);
        return null;
    }

    private static void insertOrders(TestDatabase database) throws SQLException {
        database.execute("""
                INSERT INTO orders (id, customer, currency, status, total, created_at, updated_at)
                    SELECT lpad(n::text, 32, '0')::uuid, 'Ada', 'EUR', 'unpaid', 500, time, time
                    FROM (SELECT n, now() - n * interval '1 hour' AS time FROM generate_series(1, %d) n) orders;
                INSERT INTO order_items SELECT id, 0, 'tea', 1, 500 FROM orders;
                """.formatted(ORDERS));
    }

    private static String id(int order) {
        return "00000000-0000-0000-0000-%012d".formatted(order);
    }

    private static Map<Integer, Row> rows(TestDatabase database) throws SQLException {
        Map<Integer, Row> rows = new HashMap<>();
        try (Connection connection = database.connect();
                Statement statement = connection.createStatement();
                ResultSet orders =
                        statement.executeQuery("SELECT right(id::text, 12)::int, status, settlement_key FROM orders")) {
            while (orders.next()) {
                rows.put(orders.getInt(1), new Row(orders.getString(2), orders.getString(3)));
            }
        }
        return rows;
    }
}
