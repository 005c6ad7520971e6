package com.example.orders.api;

import com.example.orders.model.OrderStatus;
import com.example.orders.store.PagePosition;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Optional;
import java.util.UUID;

/** The parameters of {@code GET /orders}, each null if it is not given. */
record PageQuery(Optional<OrderStatus> status, Optional<PagePosition> after, int limit) {
    private static final int DEFAULT_LIMIT = 50;
    private static final int MAX_LIMIT = 200;
    private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

    static PageQuery parse(String status, String after, String limit) {
        return new PageQuery(
                Optional.ofNullable(status).map(PageQuery::status),
                Optional.ofNullable(after).map(PageQuery::decode),
                limit == null ? DEFAULT_LIMIT : limit(limit));
    }

    private static OrderStatus status(String text) {
        return OrderStatus.of(text)
                .orElseThrow(
                        () ->
                                ProblemException.badField(
                                        400, "status", "must be one of unpaid, paid, cancelled, expired"));
    }

    private static int limit(String text) {
        try {
            int limit = Integer.parseInt(text);
            if (limit >= 1 && limit <= MAX_LIMIT) {
                return limit;
            }
        } catch (NumberFormatException e) {
            // Reported below, together with numbers out of range.
        }
        throw ProblemException.badField(400, "limit", "must be from 1 to " + MAX_LIMIT);
    }

    /** Opaque to clients, so that it can change; not secret, so it is only encoded. */
    static String encode(PagePosition position) {
        long micros = ChronoUnit.MICROS.between(Instant.EPOCH, position.createdAt());
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString((micros + "." + position.id()).getBytes(StandardCharsets.US_ASCII));
    }

    private static PagePosition decode(String after) {
        try {
            String text = new String(Base64.getUrlDecoder().decode(after), StandardCharsets.US_ASCII);
            int dot = text.indexOf('.');
            Instant createdAt = Instant.EPOCH.plus(Long.parseLong(text, 0, dot, 10), ChronoUnit.MICROS);
            // PostgreSQL has a smaller range of times than Java.
            if (!createdAt.isBefore(Instant.EPOCH) && createdAt.isBefore(LATEST)) {
                return new PagePosition(createdAt, UUID.fromString(text.substring(dot + 1)));
            }
        } catch (IllegalArgumentException | IndexOutOfBoundsException | ArithmeticException e) {
            // Reported below, together with times out of range.
        }
        throw ProblemException.badField(400, "after", "must be the `next` of an earlier page");
    }
}
