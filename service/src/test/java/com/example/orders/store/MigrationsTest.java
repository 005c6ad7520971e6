package com.example.orders.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MigrationsTest {
    private static final String VALID_INDEXES =
            "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid = 'orders_by_customer'::regclass";

    @Test
    void secondRunDoesNothing() throws Exception {
        Migrations migrations =
                new Migrations(DataSources.unpooled(TestDatabase.empty().configuration()));
        assertEquals(4, migrations.migrate());
        assertEquals(0, migrations.migrate());
    }

    @Test
    void requestsGoOnWhileMigrationWaitsForTable() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        Future<Integer> applied;
        // An export holds a lock on the table until the export ends.
        try (Connection export = database.connect()) {
            export.setAutoCommit(false);
            query(export, "SELECT count(*) FROM orders");
            applied = thread.submit(() -> with(database, "busy-table").migrate());
            while (database.number("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0) {
                Thread.sleep(20);
            }
            try (Connection request = database.connect()) {
                query(request, "SET statement_timeout = '30s'; SELECT count(*) FROM orders");
            }
            export.commit();
        }
        assertEquals(1, applied.get());
        thread.shutdown();
        assertEquals(0, database.number("SELECT count(note) FROM orders"));
    }

    @Test
    void indexIsCreatedConcurrently() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        assertEquals(1, with(database, "index").migrate());
        assertEquals(1, database.number(VALID_INDEXES));
    }

    @Test
    void failedIndexIsCreatedByTheNextRun() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        // A killed run leaves an index that is not valid, and a failure in the history.
        database.execute("CREATE INDEX orders_by_customer ON orders (customer)");
        database.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_by_customer'::regclass");
        database.execute("INSERT INTO flyway_schema_history SELECT 9000, '9001', 'index', 'SQL', 'V9001__index.sql', 0,"
                + " current_user, now(), 1, false");
        assertEquals(1, with(database, "index").migrate());
        assertEquals(1, database.number(VALID_INDEXES));
    }

    @Test
    void waitOfAnIndexIsNotThatOfTheNextMigration() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        database.execute("""
                CREATE TABLE seen (lock_timeout text);
                CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS
                    'BEGIN INSERT INTO seen VALUES (current_setting(''lock_timeout'')); END';
                CREATE EVENT TRIGGER see ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION see();
                """);
        assertEquals(2, with(database, "index", "busy-table").migrate());
        assertEquals(1, database.number("SELECT count(*) FROM seen"));
        assertEquals(0, database.number("SELECT count(*) FROM seen WHERE lock_timeout = '0'"));
    }

    @Test
    void requestsGoOnAfterExpandAndAfterContract() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        try (TestApi api = new TestApi(database.configuration())) {
            settleOrders(api.client());
            assertEquals(1, with(database, "busy-table").migrate());
            settleOrders(api.client());
            assertEquals(1, with(database, "busy-table", "contract").migrate());
            settleOrders(api.client());
        }
    }

    /** Sends each kind of request so often that the driver prepares its statements in the server. */
    private static void settleOrders(Client client) throws Exception {
        for (int i = 0; i < 10; i++) {
            Answer created = client.create(Client.order("Ada", 1));
            assertEquals(201, created.status(), created.text());
            String order = created.header("Location");
            assertEquals(200, client.get(order).status());
            assertEquals(200, client.get("/orders").status());
            assertEquals(200, client.post(order + "/pay").status());
        }
    }

    private static Migrations with(TestDatabase database, String... folders) {
        return new Migrations(
                DataSources.unpooled(database.configuration()),
                Stream.concat(Stream.of("migration"), Stream.of(folders))
                        .map(folder -> "classpath:db/" + folder)
                        .toArray(String[]::new));
    }

    private static void query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void concurrentRunsMigrateOnce() throws Exception {
        TestDatabase database = TestDatabase.empty();
        int runs = 4;
        CountDownLatch start = new CountDownLatch(1);
        ExecutorService threads = Executors.newFixedThreadPool(runs);
        List<Future<Integer>> results = new ArrayList<>();
        for (int i = 0; i < runs; i++) {
            results.add(threads.submit(() -> {
                start.await();
                return new Migrations(DataSources.unpooled(database.configuration())).migrate();
            }));
        }
        start.countDown();
        int applied = 0;
        for (Future<Integer> result : results) {
            applied += result.get();
        }
        threads.shutdown();
        assertEquals(4, applied);
        assertEquals(0, database.number("SELECT count(*) FROM orders"));
    }
}
