package com.example.orders.support;

import com.example.orders.config.DatabaseConfiguration;
import com.example.orders.store.DataSources;
import com.example.orders.store.Migrations;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A new database for each caller. All databases are in one PostgreSQL server, which runs until the
 * tests end.
 */
public record TestDatabase(DatabaseConfiguration configuration) {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final EmbeddedPostgres SERVER = start();
    private static final String ENDED = """
            CREATE FUNCTION ended() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
            """;

    public static EmbeddedPostgres start() {
        try {
            return EmbeddedPostgres.builder().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static TestDatabase empty() throws SQLException {
        String name = "test_" + COUNT.incrementAndGet();
        try (Connection connection = SERVER.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + name);
        }
        return new TestDatabase(configuration(SERVER, name));
    }

    public static TestDatabase migrated() throws SQLException, InterruptedException {
        TestDatabase database = empty();
        new Migrations(DataSources.unpooled(database.configuration)).migrate();
        return database;
    }

    public static DatabaseConfiguration configuration(EmbeddedPostgres server, String name) {
        return new DatabaseConfiguration("localhost", server.getPort(), name, "postgres", "postgres", 10);
    }

    public Connection connect() throws SQLException {
        return DataSources.unpooled(configuration).getConnection();
    }

    public void execute(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    public long number(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    /**
     * Makes the database terminate the connection of each statement that makes a specific change.
     *
     * @param change the change in the syntax of CREATE TRIGGER, such as
     *     {@code AFTER UPDATE ON export_progress}
     */
    public void endConnectionsAt(String change) throws SQLException {
        execute(ENDED + "CREATE TRIGGER ended " + change + " EXECUTE FUNCTION ended()");
    }

    /**
     * Makes the database terminate the connection of each transaction that makes a specific change.
     * The database terminates the connection when the transaction commits.
     *
     * @param change the change in the syntax of CREATE TRIGGER, such as
     *     {@code AFTER UPDATE ON export_progress}
     */
    public void endConnectionsAtCommitOf(String change) throws SQLException {
        execute(ENDED
                + "CREATE CONSTRAINT TRIGGER ended "
                + change
                + " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ended()");
    }

    /** Removes the trigger that terminates connections when a statement changes this table. */
    public void keepConnections(String table) throws SQLException {
        execute("DROP TRIGGER ended ON " + table);
    }

    /** Inserts an unpaid order with one item, for 5.00 EUR. */
    public void insertOrder(String customer, String age) throws SQLException {
        execute("""
                WITH o AS (INSERT INTO orders (id, customer, currency, status, total, created_at, updated_at)
                    VALUES (gen_random_uuid(), '%s', 'EUR', 'unpaid', 500,
                            now() - interval '%s', now() - interval '%s')
                    RETURNING id)
                INSERT INTO order_items SELECT id, 0, 'sku', 1, 500 FROM o
                """.formatted(customer.replace("'", "''"), age, age));
    }
}
