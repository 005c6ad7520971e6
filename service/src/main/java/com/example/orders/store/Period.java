package com.example.orders.store;

import java.time.Instant;

/**
 * A period that includes {@code from} but not {@code to}. So an order is never in two consecutive
 * periods.
 */
public record Period(Instant from, Instant to) {}
