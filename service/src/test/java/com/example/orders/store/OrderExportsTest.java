package com.example.orders.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.example.orders.model.Order;
import com.example.orders.support.TestDatabase;
import java.io.Flushable;
import java.io.IOException;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OrderExportsTest {
    private static final String NIGHTLY = "nightly";

    private final List<String> exported = new ArrayList<>();
    private TestDatabase database;
    private OrderExports exports;

    @BeforeEach
    void migrate() throws Exception {
        database = TestDatabase.migrated();
        exports = new OrderExports(DataSources.unpooled(database.configuration()));
    }

    @Test
    void nightsHaveEachOrderOnceDespiteLateCommitsAndFailedRuns() throws Exception {
        database.insertOrder("first day", "20 hours");
        try (Connection late = database.connect();
                Statement statement = late.createStatement()) {
            late.setAutoCommit(false);
            statement.execute("""
                    WITH o AS (INSERT INTO orders (id, customer, currency, status, total, created_at, updated_at)
                        VALUES (gen_random_uuid(), 'late', 'EUR', 'unpaid', 500,
                                now() - interval '10 seconds', now())
                        RETURNING id)
                    INSERT INTO order_items SELECT id, 0, 'sku', 1, 500 FROM o
                    """);
            database.insertOrder("during the first run", "0 seconds");
            exportNext();
            late.commit();
        }
        aDayLater();
        database.insertOrder("second day", "20 hours");
        assertThrows(IOException.class, this::failAfterOneOrder);
        assertThrows(IOException.class, this::failAtTheEnd);
        exportNext();
        aDayLater();
        exportNext();
        assertEquals(List.of("first day", "late", "during the first run", "second day"), exported);
    }

    @Test
    void eachRunCoversAtMostSevenDaysFromTheOldestOrder() throws Exception {
        database.insertOrder("first", "20 days");
        database.insertOrder("second", "14 days");
        database.insertOrder("third", "5 days");
        Period first = exportNext();
        assertEquals(Duration.ofDays(7), Duration.between(first.from(), first.to()));
        assertEquals(List.of("first", "second"), exported);
        Period second = exportNext();
        assertEquals(new Period(first.to(), first.to().plus(Duration.ofDays(7))), second);
        assertEquals(List.of("first", "second"), exported);
        Period third = exportNext();
        assertEquals(second.to(), third.from());
        assertEquals(List.of("first", "second", "third"), exported);
    }

    @Test
    void firstRunLosesNoOrderThatComesAfterANewerOne() throws Exception {
        database.insertOrder("newer", "0 seconds");
        exportNext();
        database.insertOrder("older", "10 seconds");
        aDayLater();
        exportNext();
        assertEquals(List.of("older", "newer"), exported);
    }

    @Test
    void exportWhoseCommitFailedIsRepeated() throws Exception {
        database.insertOrder("Ada", "20 hours");
        database.endConnectionsAtCommitOf("AFTER UPDATE ON export_progress");
        assertThrows(OutcomeUnknownException.class, this::exportNext);
        database.keepConnections("export_progress");
        exportNext();
        // The failed export did not store its progress, so the next export contains the same orders
        // again.
        assertEquals(List.of("Ada", "Ada"), exported);
    }

    @Test
    void namesHaveProgressOfTheirOwn() throws Exception {
        database.insertOrder("Ada", "20 hours");
        exportNext();
        exportNext();
        exports.exportNext("another", to(exported));
        assertEquals(List.of("Ada", "Ada"), exported);
    }

    @Test
    void periodsInARowShareNoOrder() throws Exception {
        database.insertOrder("Ada", "0 seconds");
        database.execute("UPDATE orders SET created_at = '2026-01-02T00:00:00Z'");
        for (int day = 1; day < 4; day++) {
            Period period = new Period(
                    Instant.parse("2026-01-0" + day + "T00:00:00Z"),
                    Instant.parse("2026-01-0" + (day + 1) + "T00:00:00Z"));
            exports.export(period, to(exported));
        }
        assertEquals(List.of("Ada"), exported);
    }

    private Period exportNext() throws Exception {
        return exports.exportNext(NIGHTLY, to(exported));
    }

    private void failAfterOneOrder() throws Exception {
        exports.exportNext(
                NIGHTLY,
                output(
                        order -> {
                            throw new IOException("the disk is full");
                        },
                        () -> {}));
    }

    private void failAtTheEnd() throws Exception {
        exports.exportNext(NIGHTLY, output(order -> {}, () -> {
            throw new IOException("the disk is full");
        }));
    }

    private static OrderExport to(List<String> customers) {
        return output(order -> customers.add(order.customer()), () -> {});
    }

    private static OrderExport output(OrderConsumer orders, Flushable end) {
        return new OrderExport() {
            @Override
            public void begin(Period period) {}

            @Override
            public void accept(Order order) throws IOException {
                orders.accept(order);
            }

            @Override
            public void finish() throws IOException {
                end.flush();
            }
        };
    }

    private void aDayLater() throws Exception {
        database.execute("UPDATE orders SET created_at = created_at - interval '1 day'");
        database.execute("UPDATE export_progress SET exported_until = exported_until - interval '1 day'");
    }
}
