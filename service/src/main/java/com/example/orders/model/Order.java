package com.example.orders.model;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** An order in the database. {@code total} is in minor units of {@code currency}. */
public record Order(
        UUID id,
        String customer,
        String currency,
        OrderStatus status,
        long total,
        List<OrderItem> items,
        Instant createdAt,
        Instant updatedAt) {
    public Order {
        items = List.copyOf(items);
    }
}
