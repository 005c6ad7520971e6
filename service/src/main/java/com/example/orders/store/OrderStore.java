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
import java.sql.SQLTransientException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Stores orders in PostgreSQL. When a method returns, its changes are committed. When a method
 * throws an exception, the method has closed its connection or returned the connection to the pool,
 * and PostgreSQL rolls back the open transaction. After an {@link OutcomeUnknownException}, it is
 * unknown whether the transaction is committed.
 */
public final class OrderStore {
    private static final int EXPIRE_BATCH = 1000;
    // Maximum number of items in one page. This maximum limits the memory for a request: with the
    // longest texts, the JSON of a page has a size of 1 MB. A page has at most 200 orders, so this
    // maximum does not shorten pages of orders with at most 10 items.
    private static final int PAGE_ITEMS = 2000;

    private final DataSource database;

    public OrderStore(DataSource database) {
        this.database = database;
    }

    public Order create(NewOrder request) throws SQLException {
        try (Connection connection = transaction()) {
            Order order = OrderWriter.insert(connection, request, null, null).orElseThrow();
            commit(connection);
            return order;
        }
    }

    /**
     * Creates an order in the same way as {@link #create(NewOrder)}. But if several requests have
     * the same key, only the first request creates an order. Every other request gets this order as
     * it was after its creation, even if the status has changed since then.
     */
    public Created create(NewOrder request, String idempotencyKey) throws SQLException, IdempotencyConflictException {
        byte[] fingerprint = Fingerprint.of(request);
        try (Connection connection = transaction()) {
            Optional<Order> order = OrderWriter.insert(connection, request, idempotencyKey, fingerprint);
            if (order.isPresent()) {
                commit(connection);
                return new Created(order.get(), false);
            }
            return new Created(existing(connection, idempotencyKey, fingerprint), true);
        }
    }

    private static Order existing(Connection connection, String idempotencyKey, byte[] fingerprint)
            throws SQLException, IdempotencyConflictException {
        UUID id;
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT id, request_fingerprint FROM orders WHERE idempotency_key = ?")) {
            statement.setString(1, idempotencyKey);
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    throw new SQLTransientException("the order with this key was deleted at this moment");
                }
                if (!Arrays.equals(rows.getBytes("request_fingerprint"), fingerprint)) {
                    throw new IdempotencyConflictException();
                }
                id = rows.getObject("id", UUID.class);
            }
        }
        Order order = find(connection, id).orElseThrow();
        NewOrder request = new NewOrder(order.customer(), order.currency(), order.items());
        return OrderWriter.unpaid(id, request, order.createdAt());
    }

    public boolean isEmpty() throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement statement = connection.prepareStatement("SELECT NOT EXISTS (SELECT FROM orders)");
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

    static Optional<Order> find(Connection connection, UUID id) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                OrderRows.SELECT + "orders o ON o.id = i.order_id WHERE o.id = ? ORDER BY i.position")) {
            statement.setObject(1, id);
            return list(statement).stream().findFirst();
        }
    }

    /**
     * Returns one page of orders, the newest order first. In this sequence, new orders come before
     * all later pages, so they do not change the later pages. The page is shorter than the limit if
     * its orders have many items.
     */
    public Page page(Optional<OrderStatus> status, Optional<PagePosition> after, int limit) throws SQLException {
        String conditions = (status.isPresent() ? " AND status = ?" : "")
                + (after.isPresent() ? " AND (created_at, id) < (?, ?)" : "");
        // Reads one order more than the page has, to find out whether there is a next page.
        String sql = OrderRows.SELECT
                + "(SELECT *, sum(items) OVER (ORDER BY created_at DESC, id DESC) - items AS items_before"
                + " FROM (SELECT *, (SELECT count(*) FROM order_items WHERE order_id = orders.id) AS items"
                + " FROM orders WHERE true"
                + conditions
                + " ORDER BY created_at DESC, id DESC LIMIT ?) counted) o"
                + " ON o.id = i.order_id AND o.items_before <= "
                + PAGE_ITEMS
                + " ORDER BY o.created_at DESC, o.id DESC, i.position";
        try (Connection connection = database.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            int parameter = 1;
            if (status.isPresent()) {
                statement.setString(parameter++, status.get().text());
            }
            if (after.isPresent()) {
                statement.setObject(
                        parameter++, OrderWriter.timestamp(after.get().createdAt()));
                statement.setObject(parameter++, after.get().id());
            }
            statement.setInt(parameter, limit + 1);
            return Page.of(list(statement), limit, PAGE_ITEMS);
        }
    }

    /**
     * Changes the status of an unpaid order to paid or cancelled. If the first request has changed
     * the order, a repetition of this request changes nothing, and has the outcome REPLAYED or
     * SAME. This method refuses a request with a key if a request without this key has already
     * settled the order.
     *
     * @return the order and the outcome, or empty if the order does not exist
     * @throws IdempotencyConflictException if a request with different content has used the key
     */
    public Optional<Settled> settle(UUID id, OrderStatus status, Optional<String> idempotencyKey)
            throws SQLException, IdempotencyConflictException {
        // Uses a transaction and not autocommit: if this process no longer waits for a statement,
        // PostgreSQL must not commit the statement's changes.
        try (Connection connection = transaction()) {
            Optional<Settled> settled = OrderSettlement.settle(connection, id, status, idempotencyKey.orElse(null));
            commit(connection);
            return settled;
        }
    }

    /**
     * Expires unpaid orders in small transactions, so that one transaction never locks thousands of
     * orders. If a request is changing an order at this moment, this method skips the order. A
     * later transaction or a later run expires the order if the order is still unpaid.
     *
     * @return how many orders expired
     */
    public long expireUnpaid(Duration olderThan) throws SQLException {
        String sql = """
                WITH old AS MATERIALIZED (
                    SELECT id FROM orders
                    WHERE status = 'unpaid' AND created_at < now() - make_interval(secs => ?)
                    ORDER BY created_at LIMIT ? FOR UPDATE SKIP LOCKED)
                UPDATE orders SET status = 'expired', updated_at = GREATEST(clock_timestamp(), created_at)
                WHERE id IN (SELECT id FROM old)
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

    /** Inserts orders with all their fields, in one transaction. */
    public void insertAll(List<Order> orders) throws SQLException {
        try (Connection connection = transaction()) {
            OrderWriter.insertAll(connection, orders);
            commit(connection);
        }
    }

    private Connection transaction() throws SQLException {
        return transaction(database);
    }

    static Connection transaction(DataSource database) throws SQLException {
        Connection connection = database.getConnection();
        try {
            connection.setAutoCommit(false);
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
        return connection;
    }

    static void commit(Connection connection) throws OutcomeUnknownException {
        try {
            connection.commit();
        } catch (SQLException e) {
            throw new OutcomeUnknownException(e);
        }
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
