package com.example.orders.store;

import com.example.orders.model.Order;

/**
 * Result of a request that creates an order. {@code replayed} is true if an earlier request with
 * the same idempotency key created the order.
 */
public record Created(Order order, boolean replayed) {}
