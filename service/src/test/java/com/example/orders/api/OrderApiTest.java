package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import com.fasterxml.jackson.databind.JsonNode;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OrderApiTest {
    private static TestDatabase database;
    private static TestApi api;
    private static Client client;

    @BeforeAll
    static void start() throws Exception {
        database = TestDatabase.migrated();
        api = new TestApi(database.configuration());
        client = api.client();
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    @BeforeEach
    void empty() throws Exception {
        database.execute("TRUNCATE orders CASCADE");
    }

    @Test
    void createdOrderIsThereUnderItsLocation() throws Exception {
        Answer created = client.create("""
                        {"customer": "Müller 山 \\uD83C\\uDF75", "currency": "JPY", "items": [
                          {"sku": "tea", "quantity": 3, "unitPrice": 250},
                          {"sku": "gift", "quantity": 1, "unitPrice": 0}]}
                        """);
        assertEquals(201, created.status());
        JsonNode order = created.json();
        assertEquals("/orders/" + order.path("id").textValue(), created.header("Location"));
        assertEquals("unpaid", order.path("status").textValue());
        assertEquals(750, order.path("total").longValue());
        assertEquals("Müller 山 \uD83C\uDF75", order.path("customer").textValue());
        assertEquals(List.of("tea", "gift"), order.path("items").findValuesAsText("sku"));
        assertEquals(1, database.number("SELECT count(*) FROM orders"));
        assertEquals(order, client.get(created.header("Location")).json());
    }

    @Test
    void timeIsThatOfTheDatabaseAfterTheWaitForIt() throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        Future<Answer> created;
        try (Connection other = database.connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("LOCK TABLE orders IN EXCLUSIVE MODE");
            created = thread.submit(() -> client.create(Client.order("Ada", 1)));
            while (database.number("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0) {
                Thread.sleep(20);
            }
            statement.execute("CREATE TABLE before AS SELECT clock_timestamp() AS time");
            other.commit();
        }
        assertEquals(201, created.get().status());
        assertEquals(1, database.number("SELECT count(*) FROM orders, before WHERE created_at > time"));
        database.execute("DROP TABLE before");
        thread.shutdown();
    }

    @Test
    void largestTotalIsKept() throws Exception {
        Answer created = client.create("""
                        {"customer": "a", "currency": "EUR",
                         "items": [{"sku": "a", "quantity": 1, "unitPrice": 9223372036854775807}]}
                        """);
        assertEquals(
                Long.MAX_VALUE,
                client.get(created.header("Location")).json().path("total").longValue());
    }

    @Test
    void sameKeyAndOrderGiveTheSameOrder() throws Exception {
        Answer first = client.create(Client.order("Ada", 1), "Idempotency-Key", "k");
        // This body has the same values, but different white space and a different sequence of
        // fields.
        Answer second = client.create("""
                        {"items": [{"unitPrice": 250, "quantity": 1, "sku": "tea"}], "currency": "EUR", "customer": "Ada"}
                        """, "Idempotency-Key", "k");
        assertEquals(201, second.status());
        assertEquals(first.json(), second.json());
        assertEquals(first.header("Location"), second.header("Location"));
        assertNull(first.header("Idempotent-Replayed"));
        assertEquals("true", second.header("Idempotent-Replayed"));
        assertEquals(1, database.number("SELECT count(*) FROM orders"));
    }

    @Test
    void sameKeyAndOtherOrderIsRefused() throws Exception {
        client.create(Client.order("Ada", 1), "Idempotency-Key", "k");
        Answer other = client.create(Client.order("Ada", 2), "Idempotency-Key", "k");
        assertEquals(422, other.status());
        assertEquals("Idempotency-Key", other.json().at("/errors/0/field").textValue());
        assertEquals(1, database.number("SELECT count(*) FROM orders"));
    }

    @Test
    void withoutKeyEachRequestIsAnOrder() throws Exception {
        client.create(Client.order("Ada", 1));
        client.create(Client.order("Ada", 1));
        assertEquals(2, database.number("SELECT count(*) FROM orders"));
    }

    @Test
    void concurrentRequestsWithOneKeyGiveOneOrder() throws Exception {
        int requests = 30;
        CountDownLatch start = new CountDownLatch(1);
        ExecutorService threads = Executors.newFixedThreadPool(requests);
        List<Future<Answer>> answers = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            answers.add(threads.submit(() -> {
                start.await();
                return client.create(Client.order("Ada", 1), "Idempotency-Key", "race");
            }));
        }
        start.countDown();
        List<Answer> all = new ArrayList<>();
        for (Future<Answer> answer : answers) {
            all.add(answer.get());
        }
        threads.shutdown();
        assertEquals(Set.of(201), all.stream().map(Answer::status).collect(Collectors.toSet()));
        assertEquals(
                1,
                all.stream().map(answer -> answer.json().path("id")).distinct().count());
        assertEquals(
                1,
                all.stream()
                        .filter(answer -> answer.header("Idempotent-Replayed") == null)
                        .count());
        assertEquals(1, database.number("SELECT count(*) FROM orders"));
        assertEquals(1, database.number("SELECT count(*) FROM order_items"));
    }

    @ParameterizedTest
    @CsvSource({"pay,paid", "cancel,cancelled"})
    void unpaidOrderChangesOnce(String action, String status) throws Exception {
        String order = client.create(Client.order("Ada", 1)).header("Location");
        Answer changed = client.post(order + "/" + action);
        assertEquals(200, changed.status());
        assertEquals(status, changed.json().path("status").textValue());
        assertEquals(changed.json(), client.get(order).json());
        Answer repeated = client.post(order + "/" + action);
        assertEquals(200, repeated.status());
        assertEquals(changed.json(), repeated.json());
        Answer refused = client.post(order + (action.equals("pay") ? "/cancel" : "/pay"));
        assertEquals(409, refused.status());
        assertTrue(refused.json().path("detail").textValue().contains("is " + status), refused.text());
        assertEquals(changed.json(), client.get(order).json());
    }

    @Test
    void expiredOrderCannotBePaid() throws Exception {
        String order = client.create(Client.order("Ada", 1)).header("Location");
        database.execute("UPDATE orders SET status = 'expired'");
        assertEquals(409, client.post(order + "/pay").status());
    }

    @Test
    void pagesHaveEveryOrderOnceAndNewestFirst() throws Exception {
        for (int i = 0; i < 7; i++) {
            client.create(Client.order("c" + i, 1));
        }
        // The test sets the same creation time for four orders. A wrong query could return one of
        // these orders on two pages, or on no page.
        database.execute("UPDATE orders SET created_at = '2026-01-01' WHERE customer IN ('c0', 'c1', 'c2', 'c3')");
        List<String> customers = new ArrayList<>();
        String next = "";
        int pages = 0;
        do {
            JsonNode page = client.get("/orders?limit=2" + next).json();
            customers.addAll(page.path("orders").findValuesAsText("customer"));
            // A new order must not change the pages that the client has not read yet.
            client.create(Client.order("late", 1));
            pages++;
            next = page.path("next").isNull()
                    ? null
                    : "&after=" + page.path("next").textValue();
        } while (next != null);
        assertEquals(4, pages);
        assertEquals(List.of("c6", "c5", "c4"), customers.subList(0, 3));
        assertEquals(Set.of("c0", "c1", "c2", "c3"), Set.copyOf(customers.subList(3, 7)));
        assertEquals(7, customers.size());
    }

    @Test
    void pagesFilterByStatus() throws Exception {
        for (int i = 0; i < 4; i++) {
            String order = client.create(Client.order("c" + i, 1)).header("Location");
            if (i % 2 == 0) {
                client.post(order + "/pay");
            }
        }
        JsonNode first = client.get("/orders?status=paid&limit=1").json();
        JsonNode second = client.get("/orders?status=paid&limit=1&after="
                        + first.path("next").textValue())
                .json();
        assertEquals(List.of("c2"), first.path("orders").findValuesAsText("customer"));
        assertEquals(List.of("c0"), second.path("orders").findValuesAsText("customer"));
        assertTrue(second.path("next").isNull());
        assertTrue(client.get("/orders?status=expired").json().path("orders").isEmpty());
    }

    @Test
    void pageHasFiftyOrdersUnlessToldOtherwise() throws Exception {
        for (int i = 0; i < 51; i++) {
            database.insertOrder("c" + i, "1 hour");
        }
        JsonNode page = client.get("/orders").json();
        assertEquals(50, page.path("orders").size());
        assertFalse(page.path("next").isNull());
        assertEquals(51, client.get("/orders?limit=200").json().path("orders").size());
    }
}
