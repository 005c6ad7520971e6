package com.example.orders.store;

import com.example.orders.model.Order;
import java.time.Instant;
import java.util.UUID;

/** The last order of a page. The id decides between orders of the same microsecond. */
public record PagePosition(Instant createdAt, UUID id) {
    public static PagePosition of(Order order) {
        return new PagePosition(order.createdAt(), order.id());
    }
}
