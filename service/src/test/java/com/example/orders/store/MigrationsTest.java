package com.example.orders.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

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
    void runStopsAtTheVersion() throws Exception {
        TestDatabase database = TestDatabase.empty();
        assertEquals(2, with(database, "long").migrateTo(Optional.of("2")));
        assertEquals(0, with(database, "long").migrateTo(Optional.of("2")));
        assertEquals(2, with(database, "long").migrateTo(Optional.of("4")));
        assertEquals(4, database.number("SELECT count(*) FROM flyway_schema_history WHERE success"));
    }

    @Test
    void newerDatabaseHasTheVersion() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        assertEquals(0, with(database).migrateTo(Optional.of("2")));
        // From now on, the database has a migration that this jar does not contain, as after a
        // rollback.
        with(database, "busy-table").migrate();
        assertEquals(0, with(database).migrateTo(Optional.of("4")));
    }

    @Test
    @Timeout(60)
    void progressSaysWhichMigrationRunsAndHowFarTheIndexIs() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        Logger logger = (Logger) LoggerFactory.getLogger(MigrationProgress.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.list = new CopyOnWriteArrayList<>();
        lines.start();
        logger.setLevel(Level.INFO);
        logger.addAppender(lines);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        // CREATE INDEX CONCURRENTLY waits until this transaction has ended.
        try (Connection writer = database.connect()) {
            writer.setAutoCommit(false);
            query(writer, "LOCK TABLE orders IN ROW EXCLUSIVE MODE");
            Future<Integer> applied =
                    thread.submit(() -> with(database, "index").migrate());
            while (lines.list.stream().noneMatch(MigrationsTest::isIndexProgress)) {
                Thread.sleep(20);
            }
            writer.commit();
            assertEquals(1, applied.get());
        } finally {
            thread.shutdown();
            logger.setLevel(null);
            logger.detachAppender(lines);
        }
        assertEquals("V9001__index.sql starts", lines.list.get(0).getFormattedMessage());
    }

    private static boolean isIndexProgress(ILoggingEvent line) {
        return line.getFormattedMessage()
                .matches(
                        "V9001__index[.]sql runs for \\d+ s, CREATE INDEX CONCURRENTLY: waiting for writers before build.*");
    }

    @Test
    @Timeout(60)
    void serverEndsTheStatementOfKilledRun() throws Exception {
        String sleeping =
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()";
        TestDatabase database = TestDatabase.migrated();
        List<Connection> opened = new CopyOnWriteArrayList<>();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        Future<Integer> applied =
                thread.submit(() -> with(recording(database, opened), "long").migrate());
        while (database.number(sleeping) == 0) {
            Thread.sleep(20);
        }
        for (Connection connection : opened) {
            connection.abort(Runnable::run);
        }
        assertThrows(ExecutionException.class, applied::get);
        while (database.number(sleeping) > 0) {
            Thread.sleep(20);
        }
        thread.shutdown();
    }

    /** Returns a data source that adds each connection to the list. */
    private static DataSource recording(TestDatabase database, List<Connection> opened) {
        return (DataSource) Proxy.newProxyInstance(
                MigrationsTest.class.getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, arguments) -> {
                    Object result = method.invoke(DataSources.unpooled(database.configuration()), arguments);
                    if (result instanceof Connection connection) {
                        opened.add(connection);
                    }
                    return result;
                });
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
        // After the kill of a migration that creates an index, the index is not valid, and the
        // history contains a failed migration.
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

    /**
     * Sends requests of each kind. After some repetitions, the driver prepares the SQL statements
     * of these requests on the database server.
     */
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
        return with(DataSources.unpooled(database.configuration()), folders);
    }

    private static Migrations with(DataSource database, String... folders) {
        return new Migrations(
                database,
                Duration.ofMillis(20),
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
