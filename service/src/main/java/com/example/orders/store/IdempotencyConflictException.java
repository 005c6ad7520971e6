package com.example.orders.store;

/** An earlier request with different content has used the same idempotency key. */
public final class IdempotencyConflictException extends Exception {
    private static final long serialVersionUID = 1;
}
