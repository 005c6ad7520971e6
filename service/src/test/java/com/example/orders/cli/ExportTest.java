package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.Iterator;
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
        Result result = export("7d", "csv");
        List<CSVRecord> rows =
                CSVFormat.RFC4180.builder().setHeader().get().parse(new StringReader(result.out())).getRecords();
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
        Iterator<JsonNode> exported = new ObjectMapper().readTree(export("2020-01-31", "json").out()).elements();
        assertEquals(newestFirst.get(1), exported.next());
        assertEquals(newestFirst.get(0), exported.next());
        assertTrue(!exported.hasNext());
    }

    @Test
    void nothingToExportIsAnEmptyDocument() throws Exception {
        assertEquals("[]\n", export("2026-01-31T12:00:00Z", "json").out());
        assertEquals("id,customer,currency,status,total,createdAt,updatedAt\r\n", export("1h", "csv").out());
    }

    @Test
    void ordersThatFillManyFetchesComeOnceEach() throws Exception {
        ServiceProcess.run(ServiceProcess.environment(database.configuration()), "seed", "--count", "1700");
        JsonNode orders = new ObjectMapper().readTree(export("30d", "json").out());
        assertEquals(1700, orders.findValuesAsText("id").stream().distinct().count());
        assertEquals(
                database.number("SELECT count(*) FROM order_items"), orders.findValuesAsText("sku").size());
    }

    private Result export(String since, String format) throws Exception {
        Result result =
                ServiceProcess.run(
                        ServiceProcess.environment(database.configuration()),
                        "export", "--since", since, "--format", format);
        assertEquals(0, result.exitCode(), result.err());
        return result;
    }
}
