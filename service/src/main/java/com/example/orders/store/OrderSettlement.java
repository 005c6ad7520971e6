package com.example.orders.store;

import com.example.orders.model.Order;
import com.example.orders.model.OrderStatus;
import com.example.orders.store.Settled.Outcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/** Pays or cancels an order in the caller's transaction. */
final class OrderSettlement {
    private static final String UNIQUE_VIOLATION = "23505";

    private OrderSettlement() {}

    /**
     * Changes the status of an unpaid order with one SQL statement. So only one of two concurrent
     * requests changes the order.
     *
     * @param key the idempotency key, or null if the request has no key
     * @return the order and the outcome, or empty if the order does not exist
     * @throws IdempotencyConflictException if a request with different content has used the key
     */
    static Optional<Settled> settle(Connection connection, UUID id, OrderStatus status, String key)
            throws SQLException, IdempotencyConflictException {
        boolean changed = update(connection, id, status, key);
        Optional<Order> order = OrderStore.find(connection, id);
        if (order.isEmpty()) {
            return Optional.empty();
        }
        Outcome outcome = changed ? Outcome.CHANGED : repetition(connection, order.get(), status, key);
        return Optional.of(new Settled(order.get(), outcome));
    }

    private static boolean update(Connection connection, UUID id, OrderStatus status, String key)
            throws SQLException, IdempotencyConflictException {
        try (PreparedStatement statement =
                connection.prepareStatement("UPDATE orders SET status = ?, settlement_key = ?,"
                        + " updated_at = GREATEST(clock_timestamp(), created_at)"
                        + " WHERE id = ? AND status = 'unpaid'")) {
            statement.setString(1, status.text());
            statement.setString(2, key);
            statement.setObject(3, id);
            return statement.executeUpdate() == 1;
        } catch (SQLException e) {
            if (UNIQUE_VIOLATION.equals(e.getSQLState())) {
                throw new IdempotencyConflictException();
            }
            throw e;
        }
    }

    /**
     * Returns the outcome for an order that is paid, cancelled or expired. Such a status never
     * changes again.
     */
    private static Outcome repetition(Connection connection, Order order, OrderStatus status, String key)
            throws SQLException, IdempotencyConflictException {
        boolean same = order.status() == status;
        if (key == null) {
            return same ? Outcome.SAME : Outcome.REFUSED;
        }
        Optional<UUID> settled = settledWith(connection, key);
        if (settled.isEmpty()) {
            return Outcome.REFUSED;
        }
        if (same && settled.get().equals(order.id())) {
            return Outcome.REPLAYED;
        }
        throw new IdempotencyConflictException();
    }

    private static Optional<UUID> settledWith(Connection connection, String key) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT id FROM orders WHERE settlement_key = ?")) {
            statement.setString(1, Objects.requireNonNull(key));
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? Optional.of(rows.getObject("id", UUID.class)) : Optional.empty();
            }
        }
    }
}
