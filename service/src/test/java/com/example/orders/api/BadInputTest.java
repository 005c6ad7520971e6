package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class BadInputTest {
    private static final String ID = "6e7ada4b-8d72-4883-bae5-aab2745e6ef9";

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
    static void stop() throws Exception {
        api.close();
        assertEquals(0, database.number("SELECT count(*) FROM orders"), "bad input must not make orders");
    }

    static Stream<Arguments> bodies() {
        String item = "{\"sku\": \"a\", \"quantity\": 1, \"unitPrice\": 1}";
        return Stream.of(
                arguments("", 400, null),
                arguments("   ", 400, null),
                arguments("{", 400, null),
                arguments("{\"customer\": \"a\",}", 400, null),
                arguments(order("a", "EUR", item) + "x", 400, null),
                arguments("[".repeat(5000), 400, null),
                arguments("{\"customer\": \"a\", \"customer\": \"b\"}", 400, null),
                arguments("{\"customer\": " + "9".repeat(2000) + "}", 400, null),
                arguments("null", 422, null),
                arguments("[]", 422, null),
                arguments("{}", 422, "customer"),
                arguments(order("", "EUR", item), 422, "customer"),
                arguments(order(" ", "EUR", item), 422, "customer"),
                arguments(order("a".repeat(201), "EUR", item), 422, "customer"),
                arguments(order("a\\u0000b", "EUR", item), 422, "customer"),
                arguments(order("a\\ud800b", "EUR", item), 422, "customer"),
                arguments("{\"customer\": 5, \"currency\": \"EUR\", \"items\": [" + item + "]}", 422, "customer"),
                arguments("{\"customer\": null, \"currency\": \"EUR\", \"items\": [" + item + "]}", 422, "customer"),
                arguments(order("a", "eur", item), 422, "currency"),
                arguments(order("a", "EU", item), 422, "currency"),
                arguments(order("a", "XXX", item), 422, "currency"),
                arguments(order("a", "QQQ", item), 422, "currency"),
                arguments(order("a", "EUR", ""), 422, "items"),
                arguments("{\"customer\": \"a\", \"currency\": \"EUR\", \"items\": {}}", 422, "items"),
                arguments(order("a", "EUR", item + ("," + item).repeat(200)), 422, "items"),
                arguments(order("a", "EUR", "5"), 422, "items[0]"),
                arguments(order("a", "EUR", item + ", null"), 422, "items[1]"),
                arguments(order("a", "EUR", "{\"quantity\": 1, \"unitPrice\": 1}"), 422, "items[0].sku"),
                arguments(order("a", "EUR", item("\"" + "s".repeat(65) + "\"", "1", "1")), 422, "items[0].sku"),
                arguments(order("a", "EUR", item("\"s\\u0000\"", "1", "1")), 422, "items[0].sku"),
                arguments(order("a", "EUR", item("\"s\"", "0", "1")), 422, "items[0].quantity"),
                arguments(order("a", "EUR", item("\"s\"", "-1", "1")), 422, "items[0].quantity"),
                arguments(order("a", "EUR", item("\"s\"", "1000001", "1")), 422, "items[0].quantity"),
                arguments(order("a", "EUR", item("\"s\"", "4294967297", "1")), 422, "items[0].quantity"),
                arguments(order("a", "EUR", item("\"s\"", "\"1\"", "1")), 422, "items[0].quantity"),
                arguments(order("a", "EUR", item("\"s\"", "1.0", "1")), 422, "items[0].quantity"),
                arguments(order("a", "EUR", item("\"s\"", "true", "1")), 422, "items[0].quantity"),
                arguments(order("a", "EUR", item("\"s\"", "1e400", "1")), 422, "items[0].quantity"),
                arguments(order("a", "EUR", item("\"s\"", "1", "-1")), 422, "items[0].unitPrice"),
                arguments(order("a", "EUR", item("\"s\"", "1", "9223372036854775808")), 422, "items[0].unitPrice"),
                arguments(order("a", "EUR", item("\"s\"", "1", "9".repeat(900))), 422, "items[0].unitPrice"),
                arguments(order("a", "EUR", item("\"s\"", "2", "9223372036854775807")), 422, "items"),
                arguments(order("a", "EUR", item("\"s\"", "1", "9223372036854775807") + "," + item), 422, "items"),
                arguments(order("a", "EUR", item + ", " + item.replace("}", ", \"x\": 1}")), 422, "items[1].x"),
                arguments(order("a", "EUR", item).replaceFirst("\\{", "{\"id\": 1,"), 422, "id"));
    }

    private static String order(String customer, String currency, String items) {
        return "{\"customer\": \"%s\", \"currency\": \"%s\", \"items\": [%s]}".formatted(customer, currency, items);
    }

    private static String item(String sku, String quantity, String unitPrice) {
        return "{\"sku\": %s, \"quantity\": %s, \"unitPrice\": %s}".formatted(sku, quantity, unitPrice);
    }

    @ParameterizedTest
    @MethodSource("bodies")
    void bodyIsRefused(String body, int status, String field) throws Exception {
        assertProblem(client.create(body), status, field);
    }

    @Test
    void everyBadFieldIsNamed() throws Exception {
        Answer answer = client.create(order("", "EU", item("5", "0", "-1")));
        assertEquals(
                List.of("customer", "currency", "items[0].sku", "items[0].quantity", "items[0].unitPrice"),
                answer.json().path("errors").findValuesAsText("field"));
    }

    @Test
    void bodyThatIsNotUtf8IsRefused() throws Exception {
        byte[] latin1 = Client.order("Müller", 1).getBytes(StandardCharsets.ISO_8859_1);
        assertProblem(client.create(BodyPublishers.ofByteArray(latin1)), 400, null);
        byte[] utf16 = Client.order("Ada", 1).getBytes(StandardCharsets.UTF_16);
        assertProblem(client.create(BodyPublishers.ofByteArray(utf16)), 400, null);
    }

    @Test
    void bodyOfMoreThanTheMostIsRefused() throws Exception {
        String large = " ".repeat(RequestBody.MAX_BYTES + 1);
        assertProblem(client.create(large), 413, null);
        // A client that sends a stream does not send the header Content-Length.
        byte[] bytes = large.getBytes(StandardCharsets.US_ASCII);
        assertProblem(client.create(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes))), 413, null);
    }

    @Test
    void largestOrderFitsHoweverItIsWritten() throws Exception {
        // Each character of the names is a pair of JSON escapes, which makes the body as large as
        // possible. The only error in this order is its total price.
        String character = "\\ud83d\\ude00";
        String item = item("\"" + character.repeat(64) + "\"", "1000000", "9223372036854775807");
        String order = order(character.repeat(200), "EUR", item + (", " + item).repeat(199));
        Answer answer = client.create(order);
        assertProblem(answer, 422, "items");
        assertEquals(1, answer.json().path("errors").size(), answer.text());
    }

    @ParameterizedTest
    @CsvSource({
        "Content-Type, text/plain, 415,",
        "Content-Type, application/json; charset=iso-8859-1, 415,",
        "Content-Encoding, gzip, 415,",
        "Idempotency-Key, with space, 400, Idempotency-Key",
        "Idempotency-Key, '', 400, Idempotency-Key",
    })
    void headerIsRefused(String header, String value, int status, String field) throws Exception {
        assertProblem(client.create(Client.order("Ada", 1), header, value), status, field);
    }

    @Test
    void longIdempotencyKeyIsRefused() throws Exception {
        assertProblem(
                client.create(Client.order("Ada", 1), "Idempotency-Key", "k".repeat(256)), 400, "Idempotency-Key");
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /, 404,",
        "GET, /nothing/here, 404,",
        "DELETE, /orders, 405,",
        "PUT, /orders/" + ID + ", 405,",
        "GET, /orders/" + ID + "/pay, 405,",
        "GET, /orders/" + ID + ", 404,",
        "POST, /orders/" + ID + "/pay, 404,",
        "POST, /orders/" + ID + "/cancel, 404,",
        "GET, /orders/1, 400, id",
        "GET, /orders/1-1-1-1-1, 400, id",
        "POST, /orders/x/pay, 400, id",
        "GET, /orders/%00, 400,",
        "GET, /orders?limit=0, 400, limit",
        "GET, /orders?limit=201, 400, limit",
        "GET, /orders?limit=-1, 400, limit",
        "GET, /orders?limit=ten, 400, limit",
        "GET, /orders?limit=, 400, limit",
        "GET, /orders?limit=99999999999, 400, limit",
        "GET, /orders?status=PAID, 400, status",
        "GET, /orders?status=%00, 400, status",
        "GET, /orders?after=, 400, after",
        "GET, /orders?after=%25, 400, after",
        "GET, /orders?after=YWJj, 400, after",
        // The next three rows contain positions in base64. The times of these positions are -1,
        // 9223372036854775807 and 5 microseconds. The third position has a wrong id.
        "GET, /orders?after=LTEuNmU3YWRhNGItOGQ3Mi00ODgzLWJhZTUtYWFiMjc0NWU2ZWY5, 400, after",
        "GET, /orders?after=OTIyMzM3MjAzNjg1NDc3NTgwNy42ZTdhZGE0Yi04ZDcyLTQ4ODMtYmFlNS1hYWIyNzQ1ZTZlZjk, 400, after",
        "GET, /orders?after=NS54, 400, after",
        "GET, /orders?limt=5, 400, limt",
        "GET, /orders?Limit=5, 400, Limit",
        "GET, /orders?limit=5&%00=1, 400,",
        "GET, /orders?limit=5&limit=5, 400, limit",
        "GET, /orders?limit=5&lim%69t=6, 400, limit",
    })
    void pathIsRefused(String method, String path, int status, String field) throws Exception {
        assertProblem(client.send(method, path, BodyPublishers.noBody()), status, field);
    }

    @Test
    void longNameOfAParameterIsCut() throws Exception {
        // The service cuts the name between the two Java chars of one character.
        Answer answer = client.get("/orders?" + "n".repeat(63) + "%F0%9F%98%80" + "n".repeat(5000) + "=1");
        assertProblem(answer, 400, null);
        assertTrue(answer.text().length() < 500, answer.text());
    }

    @Test
    void refusedMethodNamesTheAllowedOnes() throws Exception {
        assertTrue(client.send("DELETE", "/orders", BodyPublishers.noBody())
                .header("Allow")
                .contains("POST"));
    }

    @Test
    void headIsLikeGet() throws Exception {
        assertEquals(
                404,
                client.send("HEAD", "/orders/" + ID, BodyPublishers.noBody()).status());
        assertEquals(
                200,
                api.management()
                        .send("HEAD", "/health/ready", BodyPublishers.noBody())
                        .status());
    }

    private static void assertProblem(Answer answer, int status, String field) {
        assertEquals(status, answer.status(), answer.text());
        assertEquals("application/problem+json", answer.header("Content-Type"));
        assertEquals("test-version", answer.header("Service-Version"));
        assertEquals(status, answer.json().path("status").intValue());
        assertNotNull(answer.json().path("title").textValue());
        assertNotNull(answer.json().path("type").textValue());
        assertNotNull(answer.json().path("detail").textValue());
        if (field != null) {
            assertTrue(answer.json().path("errors").findValuesAsText("field").contains(field), answer.text());
        }
    }
}
