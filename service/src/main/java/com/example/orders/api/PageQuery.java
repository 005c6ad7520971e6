package com.example.orders.api;

import com.example.orders.model.OrderStatus;
import com.example.orders.store.PagePosition;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The parameters of {@code GET /orders}. */
record PageQuery(Optional<OrderStatus> status, Optional<PagePosition> after, int limit) {
    private static final List<String> NAMES = List.of("status", "after", "limit");
    private static final int MAX_NAME_SHOWN = 64;
    private static final int DEFAULT_LIMIT = 50;
    private static final int MAX_LIMIT = 200;
    private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

    /**
     * @param queryString the query string as the client sent it, or null if the request has no
     *     query string
     */
    static PageQuery parse(String queryString) {
        Map<String, String> given = parameters(queryString == null ? "" : queryString);
        return new PageQuery(
                Optional.ofNullable(given.get("status")).map(PageQuery::status),
                Optional.ofNullable(given.get("after")).map(PageQuery::decode),
                Optional.ofNullable(given.get("limit")).map(PageQuery::limit).orElse(DEFAULT_LIMIT));
    }

    /**
     * Returns the parameters of the query string. Javalin's own parser ignores a parameter that it
     * cannot decode. If Javalin ignored a wrong {@code after}, the client would always get the
     * first page.
     */
    private static Map<String, String> parameters(String queryString) {
        Map<String, String> given = new HashMap<>();
        for (String parameter : queryString.split("&")) {
            if (parameter.isEmpty()) {
                continue;
            }
            String[] parts = parameter.split("=", 2);
            String name = decoded(parts[0], parts[0]);
            if (!NAMES.contains(name)) {
                throw refused(name, "is not a parameter; there are " + String.join(", ", NAMES));
            }
            if (given.put(name, parts.length == 1 ? "" : decoded(parts[1], name)) != null) {
                throw refused(name, "must not be given twice");
            }
        }
        return given;
    }

    /**
     * Decodes a name or value. Bytes that are not UTF-8 become U+FFFD, which no accepted name or
     * value contains.
     */
    private static String decoded(String text, String name) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw refused(name, "is not percent-encoded as it must be");
        }
    }

    private static ProblemException refused(String name, String message) {
        // The client chooses the name of the parameter, and the name can be very long. So the
        // message contains only the start of a long name.
        return ProblemException.badField(400, name.substring(0, Math.min(name.length(), MAX_NAME_SHOWN)), message);
    }

    private static OrderStatus status(String text) {
        return OrderStatus.of(text)
                .orElseThrow(() ->
                        ProblemException.badField(400, "status", "must be one of unpaid, paid, cancelled, expired"));
    }

    private static int limit(String text) {
        try {
            int limit = Integer.parseInt(text);
            if (limit >= 1 && limit <= MAX_LIMIT) {
                return limit;
            }
        } catch (NumberFormatException e) {
            // The statement below throws the exception for a text that is not a number, and for a
            // number out of range.
        }
        throw ProblemException.badField(400, "limit", "must be from 1 to " + MAX_LIMIT);
    }

    /**
     * Encodes a position for {@code next}. Clients must not interpret the text, so that a later
     * release can use a different form. A position is not secret, so this method does not encrypt
     * the position.
     */
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
            // PostgreSQL does not support all times that Java supports.
            if (!createdAt.isBefore(Instant.EPOCH) && createdAt.isBefore(LATEST)) {
                return new PagePosition(createdAt, UUID.fromString(text.substring(dot + 1)));
            }
        } catch (IllegalArgumentException | IndexOutOfBoundsException | ArithmeticException e) {
            // The statement below throws the exception for a text that is not a position, and for a
            // time out of range.
        }
        throw ProblemException.badField(400, "after", "must be the `next` of an earlier page");
    }
}
