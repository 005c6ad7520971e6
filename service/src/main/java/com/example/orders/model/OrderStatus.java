package com.example.orders.model;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * Status of an order. Only the status of an unpaid order can change. The other three statuses are
 * final.
 */
public enum OrderStatus {
    UNPAID,
    PAID,
    CANCELLED,
    EXPIRED;

    /** Returns the name of the status in the API, in exports and in the database. */
    @JsonValue
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<OrderStatus> of(String text) {
        return Arrays.stream(values())
                .filter(status -> status.text().equals(text))
                .findFirst();
    }
}
