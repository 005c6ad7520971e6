package com.example.orders.store;

import com.example.orders.model.Order;

/** {@code replayed} if an earlier request with the same idempotency key created the order. */
public record Created(Order order, boolean replayed) {}
