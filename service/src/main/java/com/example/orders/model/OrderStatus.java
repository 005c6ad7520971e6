package com.example.orders.model;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Only an unpaid order can change its status; the other three are final. */
public enum OrderStatus {
    UNPAID,
    PAID,
    CANCELLED,
    EXPIRED;

    /** The name in the API, in exports and in the database. */
    @JsonValue
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<OrderStatus> of(String text) {
        return Arrays.stream(values()).filter(status -> status.text().equals(text)).findFirst();
    }
}
