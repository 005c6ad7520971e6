package com.example.orders.store;

import com.example.orders.model.NewOrder;
import com.example.orders.model.Order;
import com.example.orders.model.OrderItem;
import com.example.orders.model.OrderStatus;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Inserts orders in the caller's transaction. */
final class OrderWriter {
    // The time of an order comes from the clock of the database, so that all pods use one clock.
    // The database reads its clock when it runs this statement, so the time does not include the
    // wait for a connection.
    private static final String INSERT_NEW_ORDER = """
            INSERT INTO orders (id, customer, currency, status, total, created_at, updated_at,
                                idempotency_key, request_fingerprint)
            SELECT ?, ?, ?, ?, ?, now, now, ?, ? FROM clock_timestamp() AS now
            ON CONFLICT (idempotency_key) DO NOTHING RETURNING created_at
            """;
    private static final String INSERT_ORDER =
            "INSERT INTO orders (id, customer, currency, status, total, created_at, updated_at)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?)";
    private static final String INSERT_ITEM =
            "INSERT INTO order_items (order_id, position, sku, quantity, unit_price) VALUES (?, ?, ?, ?, ?)";

    private OrderWriter() {}

    /**
     * @param idempotencyKey the idempotency key, or null if the request has no key
     * @return the new order, or empty if an order with this key exists. If the transaction that
     *     creates the existing order still runs, this method waits for the end of that transaction.
     */
    static Optional<Order> insert(Connection connection, NewOrder request, String idempotencyKey, byte[] fingerprint)
            throws SQLException {
        UUID id = UUID.randomUUID();
        try (PreparedStatement statement = connection.prepareStatement(INSERT_NEW_ORDER)) {
            statement.setObject(1, id);
            statement.setString(2, request.customer());
            statement.setString(3, request.currency());
            statement.setString(4, OrderStatus.UNPAID.text());
            statement.setLong(5, request.total());
            statement.setString(6, idempotencyKey);
            statement.setBytes(7, fingerprint);
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    return Optional.empty();
                }
                Order order = unpaid(id, request, OrderRows.instant(rows, "created_at"));
                insertItems(connection, List.of(order));
                return Optional.of(order);
            }
        }
    }

    /** Returns an order as it is directly after its creation. */
    static Order unpaid(UUID id, NewOrder request, Instant time) {
        return new Order(
                id,
                request.customer(),
                request.currency(),
                OrderStatus.UNPAID,
                request.total(),
                request.items(),
                time,
                time);
    }

    static void insertAll(Connection connection, List<Order> orders) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT_ORDER)) {
            for (Order order : orders) {
                bind(statement, order);
                statement.addBatch();
            }
            statement.executeBatch();
        }
        insertItems(connection, orders);
    }

    private static void bind(PreparedStatement statement, Order order) throws SQLException {
        statement.setObject(1, order.id());
        statement.setString(2, order.customer());
        statement.setString(3, order.currency());
        statement.setString(4, order.status().text());
        statement.setLong(5, order.total());
        statement.setObject(6, timestamp(order.createdAt()));
        statement.setObject(7, timestamp(order.updatedAt()));
    }

    private static void insertItems(Connection connection, List<Order> orders) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT_ITEM)) {
            for (Order order : orders) {
                int position = 0;
                for (OrderItem item : order.items()) {
                    statement.setObject(1, order.id());
                    statement.setInt(2, position++);
                    statement.setString(3, item.sku());
                    statement.setInt(4, item.quantity());
                    statement.setLong(5, item.unitPrice());
                    statement.addBatch();
                }
            }
            statement.executeBatch();
        }
    }

    static OffsetDateTime timestamp(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }
}
