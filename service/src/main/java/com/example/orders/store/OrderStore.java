package com.example.orders.store;

import com.example.orders.model.NewOrder;
import com.example.orders.model.Order;
import com.example.orders.model.OrderStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Orders in PostgreSQL. What a method has done is committed when it returns. When one throws, its
 * transaction ends with its connection, which is closed (or rolled back by the pool).
 */
public final class OrderStore {
    private static final int STREAM_FETCH_SIZE = 500;
    private static final int EXPIRE_BATCH = 1000;

    private final DataSource database;

    public OrderStore(DataSource database) {
        this.database = database;
    }

    public Order create(NewOrder request) throws SQLException {
        Order order = order(request);
        try (Connection connection = transaction()) {
            OrderWriter.insert(connection, order, null, null);
            connection.commit();
        }
        return order;
    }

    /** As {@link #create(NewOrder)}, but requests with one key give one order, however many there are. */
    public Created create(NewOrder request, String idempotencyKey)
            throws SQLException, IdempotencyConflictException {
        Order order = order(request);
        byte[] fingerprint = Fingerprint.of(request);
        try (Connection connection = transaction()) {
            if (OrderWriter.insert(connection, order, idempotencyKey, fingerprint)) {
                connection.commit();
                return new Created(order, false);
            }
            return new Created(existing(connection, idempotencyKey, fingerprint), true);
        }
    }

    private static Order existing(Connection connection, String idempotencyKey, byte[] fingerprint)
            throws SQLException, IdempotencyConflictException {
        UUID id;
        try (PreparedStatement statement =
                connection.prepareStatement(
                        "SELECT id, request_fingerprint FROM orders WHERE idempotency_key = ?")) {
            statement.setString(1, idempotencyKey);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                if (!Arrays.equals(rows.getBytes("request_fingerprint"), fingerprint)) {
                    throw new IdempotencyConflictException();
                }
                id = rows.getObject("id", UUID.class);
            }
        }
        return find(connection, id).orElseThrow();
    }

    public boolean isEmpty() throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement statement =
                        connection.prepareStatement("SELECT NOT EXISTS (SELECT FROM orders)");
                ResultSet rows = statement.executeQuery()) {
            rows.next();
            return rows.getBoolean(1);
        }
    }

    public Optional<Order> find(UUID id) throws SQLException {
        try (Connection connection = database.getConnection()) {
            return find(connection, id);
        }
    }

    private static Optional<Order> find(Connection connection, UUID id) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(
                        OrderRows.SELECT + "orders o ON o.id = i.order_id WHERE o.id = ? ORDER BY i.position")) {
            statement.setObject(1, id);
            return list(statement).stream().findFirst();
        }
    }

    /** Newest first, so that new orders come before the first page and do not move the later ones. */
    public List<Order> page(Optional<OrderStatus> status, Optional<PagePosition> after, int limit)
            throws SQLException {
        String conditions =
                (status.isPresent() ? " AND status = ?" : "")
                        + (after.isPresent() ? " AND (created_at, id) < (?, ?)" : "");
        String sql =
                OrderRows.SELECT
                        + "(SELECT * FROM orders WHERE true"
                        + conditions
                        + " ORDER BY created_at DESC, id DESC LIMIT ?) o ON o.id = i.order_id"
                        + " ORDER BY o.created_at DESC, o.id DESC, i.position";
        try (Connection connection = database.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            int parameter = 1;
            if (status.isPresent()) {
                statement.setString(parameter++, status.get().text());
            }
            if (after.isPresent()) {
                statement.setObject(parameter++, OrderWriter.timestamp(after.get().createdAt()));
                statement.setObject(parameter++, after.get().id());
            }
            statement.setInt(parameter, limit);
            return list(statement);
        }
    }

    /**
     * Takes an order from unpaid to another status, in one statement so that of two concurrent
     * requests only one succeeds.
     *
     * @return empty if there is no such order, or if it is not unpaid
     */
    public Optional<Order> leaveUnpaid(UUID id, OrderStatus status) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement statement =
                        connection.prepareStatement(
                                "UPDATE orders SET status = ?, updated_at = now()"
                                        + " WHERE id = ? AND status = 'unpaid'")) {
            statement.setString(1, status.text());
            statement.setObject(2, id);
            return statement.executeUpdate() == 0 ? Optional.empty() : find(connection, id);
        }
    }

    /**
     * Expires unpaid orders in small transactions, so that a large backlog does not lock thousands of
     * orders at once. An order that is being paid at this moment is left for the next run.
     *
     * @return how many orders expired
     */
    public long expireUnpaid(Duration olderThan) throws SQLException {
        String sql =
                """
                UPDATE orders SET status = 'expired', updated_at = now() WHERE id IN (
                    SELECT id FROM orders
                    WHERE status = 'unpaid' AND created_at < now() - make_interval(secs => ?)
                    ORDER BY created_at LIMIT ? FOR UPDATE SKIP LOCKED)
                """;
        try (Connection connection = database.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setDouble(1, olderThan.toSeconds());
            statement.setInt(2, EXPIRE_BATCH);
            long total = 0;
            int expired;
            do {
                expired = statement.executeUpdate();
                total += expired;
            } while (expired > 0);
            return total;
        }
    }

    /** Oldest first, without ever having all orders in memory. */
    public void forEachSince(Instant since, OrderConsumer consumer) throws SQLException, IOException {
        // The driver streams only inside a transaction and with a fetch size.
        try (Connection connection = transaction();
                PreparedStatement statement =
                        connection.prepareStatement(
                                OrderRows.SELECT
                                        + "orders o ON o.id = i.order_id WHERE o.created_at >= ?"
                                        + " ORDER BY o.created_at, o.id, i.position")) {
            statement.setFetchSize(STREAM_FETCH_SIZE);
            statement.setObject(1, OrderWriter.timestamp(since));
            try (ResultSet rows = statement.executeQuery()) {
                OrderRows.read(rows, consumer);
            }
        }
    }

    /** Inserts complete orders in one transaction. */
    public void insertAll(List<Order> orders) throws SQLException {
        try (Connection connection = transaction()) {
            OrderWriter.insertAll(connection, orders);
            connection.commit();
        }
    }

    private Connection transaction() throws SQLException {
        Connection connection = database.getConnection();
        connection.setAutoCommit(false);
        return connection;
    }

    private static Order order(NewOrder request) {
        // PostgreSQL keeps microseconds: the order in the first answer is the one of later answers.
        Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
        return new Order(
                UUID.randomUUID(),
                request.customer(),
                request.currency(),
                OrderStatus.UNPAID,
                request.total(),
                request.items(),
                now,
                now);
    }

    private static List<Order> list(PreparedStatement statement) throws SQLException {
        List<Order> orders = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery()) {
            OrderRows.read(rows, orders::add);
        } catch (IOException e) {
            throw new UncheckedIOException("a list does no input or output", e);
        }
        return orders;
    }
}
