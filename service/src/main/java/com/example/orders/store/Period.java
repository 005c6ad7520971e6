package com.example.orders.store;

import java.time.Instant;

/** Times from {@code from} until before {@code to}, so that two periods in a row share no order. */
public record Period(Instant from, Instant to) {}
