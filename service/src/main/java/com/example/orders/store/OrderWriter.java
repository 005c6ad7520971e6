package com.example.orders.store;

import com.example.orders.model.Order;
import com.example.orders.model.OrderItem;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;

/** Inserts orders in the transaction of its caller. */
final class OrderWriter {
    private static final String INSERT_ORDER =
            """
            INSERT INTO orders (id, customer, currency, status, total, created_at, updated_at,
                                idempotency_key, request_fingerprint)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (idempotency_key) DO NOTHING
            """;
    private static final String INSERT_ITEM =
            "INSERT INTO order_items (order_id, position, sku, quantity, unit_price) VALUES (?, ?, ?, ?, ?)";

    private OrderWriter() {}

    /**
     * @param idempotencyKey null for none
     * @return false if there is an order with that key; the statement has then waited until the
     *     transaction that made it was committed
     */
    static boolean insert(Connection connection, Order order, String idempotencyKey, byte[] fingerprint)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT_ORDER)) {
            bind(statement, order);
            statement.setString(8, idempotencyKey);
            statement.setBytes(9, fingerprint);
            if (statement.executeUpdate() == 0) {
                return false;
            }
        }
        insertItems(connection, List.of(order));
        return true;
    }

    static void insertAll(Connection connection, List<Order> orders) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT_ORDER)) {
            for (Order order : orders) {
                bind(statement, order);
                statement.setNull(8, Types.VARCHAR);
                statement.setNull(9, Types.BINARY);
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
