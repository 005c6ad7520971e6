package com.example.orders.store;

/** The idempotency key was used before, for an order that asked for something else. */
public final class IdempotencyConflictException extends Exception {
    private static final long serialVersionUID = 1;
}
