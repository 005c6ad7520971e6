package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.ServiceProcess.Result;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ExportTest {
    private TestDatabase database;

    @BeforeEach
    void migrate() throws Exception {
        database = TestDatabase.migrated();
    }

    @Test
    void csvKeepsQuotesCommasAndNewlines() throws Exception {
        database.insertOrder("plain", "4 hours");
        database.insertOrder("Müller, \"Sons\"\n& Co", "3 hours");
        database.insertOrder("=1+1", "2 hours");
        database.insertOrder("too old", "8 days");
        Result result = export("--since", "7d", "--format", "csv", "--with-customers");
        List<CSVRecord> rows = CSVFormat.RFC4180
                .builder()
                .setHeader()
                .get()
                .parse(new StringReader(result.out()))
                .getRecords();
        assertEquals(
                List.of("plain", "Müller, \"Sons\"\n& Co", "'=1+1"),
                rows.stream().map(row -> row.get("customer")).toList());
        assertEquals("500", rows.get(0).get("total"));
        assertEquals("unpaid", rows.get(0).get("status"));
        assertTrue(rows.get(0).get("createdAt").endsWith("Z"), result.out());
    }

    @Test
    void jsonIsWhatTheApiShows() throws Exception {
        database.insertOrder("=1+1", "2 hours");
        database.insertOrder("second", "1 hour");
        List<JsonNode> newestFirst = new ArrayList<>();
        try (TestApi api = new TestApi(database.configuration())) {
            new Client(api.port()).get("/orders").json().path("orders").forEach(newestFirst::add);
        }
        List<JsonNode> exported = orders(export("--since", "2020-01-31", "--format", "json", "--with-customers"));
        assertEquals(List.of(newestFirst.get(1), newestFirst.get(0)), exported);
    }

    @Test
    void customersAreLeftOutUnlessAskedFor() throws Exception {
        database.insertOrder("Ada Lovelace", "2 hours");
        for (String format : List.of("csv", "json")) {
            Result result = export("--since", "7d", "--format", format);
            assertFalse((result.out() + result.err()).contains("Ada"), result.out());
            assertFalse((result.out() + result.err()).contains("customer"), result.out());
            assertTrue(result.out().contains("unpaid"), result.out());
        }
    }

    @Test
    void continuedExportHasNewOrdersOnly() throws Exception {
        database.insertOrder("Ada", "2 hours");
        assertEquals(
                1, orders(export("--continue", "nightly", "--format", "json")).size());
        assertEquals("", export("--continue", "nightly", "--format", "json").out());
    }

    @Test
    void logOfARunThatDidNotEndHasThePeriodToExportAgain() throws Exception {
        database.insertOrder("Ada", "2 hours");
        database.endConnectionsAt("AFTER UPDATE ON export_progress");
        Result killed = ServiceProcess.run(
                ServiceProcess.environment(database.configuration()),
                "export",
                "--continue",
                "nightly",
                "--format",
                "json");
        assertEquals(1, killed.exitCode(), killed.err());
        JsonNode line =
                new ObjectMapper().readTree(killed.err().lines().findFirst().orElseThrow());
        assertTrue(line.path("message").textValue().startsWith("exporting orders from "), killed.err());
        String from = line.path("from").textValue();
        String to = line.path("to").textValue();
        assertEquals(
                1,
                orders(export("--from", from, "--to", to, "--format", "json")).size());
    }

    @Test
    void daysAreThoseOfTheZone() throws Exception {
        database.insertOrder("Ada", "2 hours");
        // At this time, the date in São Paulo is still 31 January.
        database.execute("UPDATE orders SET created_at = '2026-02-01T02:59:59Z'");
        String[] january = {"--from", "2026-01-01", "--to", "2026-02-01", "--format", "json"};
        assertEquals("", export(january).out());
        String[] there = Arrays.copyOf(january, january.length + 2);
        there[january.length] = "--zone";
        there[january.length + 1] = "America/Sao_Paulo";
        assertEquals(1, orders(export(there)).size());
    }

    @Test
    void nothingToExportIsAnEmptyDocument() throws Exception {
        assertEquals(
                "",
                export("--since", "2026-01-31T12:00:00Z", "--format", "json").out());
        assertEquals(
                "id,currency,status,total,createdAt,updatedAt\r\n",
                export("--since", "1h", "--format", "csv").out());
        assertEquals(
                "id,customer,currency,status,total,createdAt,updatedAt\r\n",
                export("--since", "1h", "--format", "csv", "--with-customers").out());
    }

    @Test
    void ordersThatFillManyFetchesComeOnceEach() throws Exception {
        ServiceProcess.run(ServiceProcess.environment(database.configuration()), "seed", "--count", "1700");
        List<JsonNode> orders = orders(export("--since", "30d", "--format", "json"));
        assertEquals(
                1700, orders.stream().map(order -> order.path("id")).distinct().count());
        assertEquals(
                database.number("SELECT count(*) FROM order_items"),
                orders.stream().mapToLong(order -> order.path("items").size()).sum());
    }

    private static List<JsonNode> orders(Result result) throws Exception {
        List<JsonNode> orders = new ArrayList<>();
        for (String line : result.out().split("\n")) {
            orders.add(new ObjectMapper().readTree(line));
        }
        return orders;
    }

    private Result export(String... options) throws Exception {
        String[] arguments = new String[options.length + 1];
        arguments[0] = "export";
        System.arraycopy(options, 0, arguments, 1, options.length);
        Result result = ServiceProcess.run(ServiceProcess.environment(database.configuration()), arguments);
        assertEquals(0, result.exitCode(), result.err());
        return result;
    }
}
