package com.example.orders.store;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the orders of a period, the oldest order first. At any time, only a part of the orders is
 * in memory.
 */
public final class OrderExports {
    /**
     * Longest time between an order's {@code created_at} and the moment when other transactions can
     * read the order. A request has up to three statements, and each statement ends after at most 9
     * seconds. The rest of the five minutes is a margin for earlier releases, which used the clock
     * of the pod and not the clock of the database.
     */
    public static final Duration LAG = Duration.ofMinutes(5);

    /**
     * Longest period of one continued export. Without this limit, the first export could take
     * longer than its job's deadline.
     */
    static final Duration LONGEST = Duration.ofDays(7);

    private static final Logger log = LoggerFactory.getLogger(OrderExports.class);
    private static final int FETCH_SIZE = 500;

    private final DataSource database;

    public OrderExports(DataSource database) {
        this.database = database;
    }

    /**
     * @return a time from the database's clock. All orders with an earlier {@code created_at} are
     *     already visible to this process.
     */
    public Instant completeUntil() throws SQLException {
        try (Connection connection = database.getConnection()) {
            return completeUntil(connection);
        }
    }

    public void export(Period period, OrderExport export) throws SQLException, IOException {
        // The driver loads all rows into memory, except in a transaction with a fetch size.
        try (Connection connection = OrderStore.transaction(database)) {
            export.begin(period);
            read(connection, period, export);
            export.finish();
        }
    }

    /**
     * Exports the orders of the next period for this name. The period begins at the end of the last
     * successful call with this name, and is not longer than {@link #LONGEST}. For the first call,
     * the period begins with the oldest order. Concurrent calls with the same name run one after
     * the other.
     *
     * <p>If {@code finish} of the export fails, this method does not store the progress. A later
     * call then begins at the same time again.
     *
     * @return the period whose orders this method has exported
     */
    public Period exportNext(String name, OrderExport export) throws SQLException, IOException {
        try (Connection connection = OrderStore.transaction(database)) {
            Period period = next(connection, lockProgress(connection, name));
            // Writes this line to the log before the commit. If someone kills the process after the
            // commit, only this line shows which orders the process has exported.
            period.log(log, "exporting orders");
            export.begin(period);
            read(connection, period, export);
            // Stores the progress before the call of finish(). If this process has lost its
            // connection, it has also lost its lock, and this statement fails. So this process
            // cannot replace the output of another process that has got the lock in the meantime.
            storeProgress(connection, name, period.to());
            export.finish();
            commit(connection, name, period);
            return period;
        }
    }

    private static Period next(Connection connection, Instant progress) throws SQLException {
        Instant complete = completeUntil(connection);
        Instant oldest = oldest(connection, complete);
        Instant from = oldest.isAfter(progress) ? oldest : progress;
        Instant longest = from.plus(LONGEST);
        Instant to = complete.isBefore(longest) ? complete : longest;
        return new Period(from, to.isBefore(from) ? from : to);
    }

    /** Returns the time of the oldest order, but not a time after {@code limit}. */
    private static Instant oldest(Connection connection, Instant limit) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT LEAST(min(created_at), ?) AS oldest FROM orders")) {
            statement.setObject(1, OrderWriter.timestamp(limit));
            return instant(statement, "oldest");
        }
    }

    /**
     * Commits the progress. If the outcome of the commit is unknown, this method reads the stored
     * progress to find the outcome. Otherwise, the command could report a failure after a
     * successful commit. In this case, the next export would not contain these orders.
     */
    private void commit(Connection connection, String name, Period period) throws SQLException {
        try {
            OrderStore.commit(connection);
        } catch (OutcomeUnknownException e) {
            try (Connection another = database.getConnection()) {
                if (lockProgress(another, name).equals(period.to())) {
                    return;
                }
            } catch (SQLException again) {
                e.addSuppressed(again);
                throw new SQLException(
                        "the database did not confirm the export from %s to %s: export that period again"
                                .formatted(period.from(), period.to()),
                        Failures.OUTCOME_UNKNOWN,
                        e);
            }
            throw e;
        }
    }

    private static Instant completeUntil(Connection connection) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT clock_timestamp() - make_interval(secs => ?) AS until")) {
            statement.setDouble(1, LAG.toSeconds());
            return instant(statement, "until");
        }
    }

    private static Instant lockProgress(Connection connection, String name) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("INSERT INTO export_progress VALUES (?, 'epoch') ON CONFLICT DO NOTHING")) {
            statement.setString(1, name);
            statement.executeUpdate();
        }
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT exported_until FROM export_progress WHERE name = ? FOR UPDATE")) {
            statement.setString(1, name);
            return instant(statement, "exported_until");
        }
    }

    private static void storeProgress(Connection connection, String name, Instant until) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("UPDATE export_progress SET exported_until = ? WHERE name = ?")) {
            statement.setObject(1, OrderWriter.timestamp(until));
            statement.setString(2, name);
            statement.executeUpdate();
        }
    }

    private static Instant instant(PreparedStatement statement, String column) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            rows.next();
            return OrderRows.instant(rows, column);
        }
    }

    private static void read(Connection connection, Period period, OrderConsumer consumer)
            throws SQLException, IOException {
        try (PreparedStatement statement = connection.prepareStatement(OrderRows.SELECT
                + "orders o ON o.id = i.order_id WHERE o.created_at >= ? AND o.created_at < ?"
                + " ORDER BY o.created_at, o.id, i.position")) {
            statement.setFetchSize(FETCH_SIZE);
            statement.setObject(1, OrderWriter.timestamp(period.from()));
            statement.setObject(2, OrderWriter.timestamp(period.to()));
            try (ResultSet rows = statement.executeQuery()) {
                OrderRows.read(rows, consumer);
            }
        }
    }
}
