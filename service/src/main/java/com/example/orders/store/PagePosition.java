package com.example.orders.store;

import com.example.orders.model.Order;
import java.time.Instant;
import java.util.UUID;

/**
 * Position of the last order of a page: its time and its id. Orders whose times are in the same
 * microsecond are sorted by id.
 */
public record PagePosition(Instant createdAt, UUID id) {
    public static PagePosition of(Order order) {
        return new PagePosition(order.createdAt(), order.id());
    }
}
