package com.example.orders.store;

import com.example.orders.model.Order;
import com.example.orders.model.OrderItem;
import com.example.orders.model.OrderStatus;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Builds orders from rows of a query. Each row has one item. The rows of one order are consecutive.
 */
final class OrderRows {
    /**
     * Start of a query. The caller adds a subquery with the alias {@code o}, and the ORDER BY
     * clause.
     */
    static final String SELECT = "SELECT o.id, o.customer, o.currency, o.status, o.total, o.created_at, o.updated_at,"
            + " i.sku, i.quantity, i.unit_price FROM order_items i JOIN ";

    private OrderRows() {}

    static void read(ResultSet rows, OrderConsumer consumer) throws SQLException, IOException {
        Order head = null;
        List<OrderItem> items = new ArrayList<>();
        while (rows.next()) {
            UUID id = rows.getObject("id", UUID.class);
            if (head != null && !head.id().equals(id)) {
                consumer.accept(complete(head, items));
                head = null;
            }
            if (head == null) {
                head = head(id, rows);
                items = new ArrayList<>();
            }
            items.add(new OrderItem(rows.getString("sku"), rows.getInt("quantity"), rows.getLong("unit_price")));
        }
        if (head != null) {
            consumer.accept(complete(head, items));
        }
    }

    private static Order head(UUID id, ResultSet row) throws SQLException {
        return new Order(
                id,
                row.getString("customer"),
                row.getString("currency"),
                OrderStatus.of(row.getString("status")).orElseThrow(),
                row.getLong("total"),
                List.of(),
                instant(row, "created_at"),
                instant(row, "updated_at"));
    }

    private static Order complete(Order head, List<OrderItem> items) {
        return new Order(
                head.id(),
                head.customer(),
                head.currency(),
                head.status(),
                head.total(),
                items,
                head.createdAt(),
                head.updatedAt());
    }

    static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
