package com.example.orders.api;

import com.example.orders.api.Problem.FieldError;
import com.example.orders.model.NewOrder;
import com.example.orders.model.OrderItem;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Currency;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;

/**
 * Reads the body of {@code POST /orders}. This class checks the JSON tree field by field. Jackson
 * does not convert the tree to an object of a class. So one response can contain several wrong
 * fields, and the service does not accept the text "3" as a number.
 */
final class OrderRequest {
    static final int MAX_CUSTOMER = 200;
    static final int MAX_SKU = 64;
    static final int MAX_ITEMS = 200;
    static final int MAX_QUANTITY = 1_000_000;
    private static final int MAX_ERRORS = 20;
    private static final int MAX_NAME_SHOWN = 64;

    // Limits how many bodies this class parses at the same time. So this number also limits the
    // memory for parsing. Parsing a body needs up to 3 MB. Parsing takes only milliseconds, so a
    // request does not wait long.
    private static final Semaphore PARSES = new Semaphore(16);

    private final List<FieldError> errors = new ArrayList<>();

    private OrderRequest() {}

    static NewOrder parse(byte[] body) {
        PARSES.acquireUninterruptibly();
        try {
            return parsed(body);
        } finally {
            PARSES.release();
        }
    }

    private static NewOrder parsed(byte[] body) {
        JsonNode root = tree(body);
        OrderRequest request = new OrderRequest();
        NewOrder order = request.order(root);
        if (!request.errors.isEmpty()) {
            throw new ProblemException(
                    422,
                    "The order is not valid.",
                    request.errors.subList(0, Math.min(request.errors.size(), MAX_ERRORS)));
        }
        return order;
    }

    private static JsonNode tree(byte[] body) {
        if (body.length == 0) {
            throw new ProblemException(400, "The body is empty; it must be a JSON object.");
        }
        try {
            // This class decodes the body itself, because Jackson also accepts UTF-16, UTF-32 and
            // some invalid UTF-8.
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString();
            JsonNode root = Json.MAPPER.readTree(text);
            if (root.isMissingNode()) {
                throw new ProblemException(400, "The body is empty; it must be a JSON object.");
            }
            return root;
        } catch (CharacterCodingException e) {
            throw new ProblemException(400, "The body is not UTF-8.");
        } catch (JsonProcessingException e) {
            throw new ProblemException(400, "The body is not JSON: " + e.getOriginalMessage());
        }
    }

    /** Returns the order, which is complete only if {@code errors} is empty. */
    private NewOrder order(JsonNode root) {
        if (!root.isObject()) {
            throw new ProblemException(422, "The order must be a JSON object.");
        }
        rejectUnknown(root, "", Set.of("customer", "currency", "items"));
        NewOrder order =
                new NewOrder(text(root, "", "customer", MAX_CUSTOMER), currency(root), items(root.path("items")));
        try {
            order.total();
        } catch (ArithmeticException e) {
            error("items", "have a total that is too large");
        }
        return order;
    }

    private String currency(JsonNode root) {
        String code = text(root, "", "currency", 3);
        if (!code.isEmpty() && !isMoney(code)) {
            error("currency", "must be an ISO 4217 code such as EUR");
        }
        return code;
    }

    private static boolean isMoney(String code) {
        try {
            // getDefaultFractionDigits() returns -1 for a code that does not represent money, such
            // as XXX (no currency), XTS (for tests) or XAU (gold). The service refuses these codes.
            return Currency.getInstance(code).getDefaultFractionDigits() >= 0;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private List<OrderItem> items(JsonNode node) {
        if (!node.isArray() || node.isEmpty() || node.size() > MAX_ITEMS) {
            error("items", "must be a list of 1 to " + MAX_ITEMS + " items");
            return List.of();
        }
        List<OrderItem> items = new ArrayList<>();
        for (JsonNode item : node) {
            items.add(item(item, "items[" + items.size() + "]"));
        }
        return items;
    }

    private OrderItem item(JsonNode node, String path) {
        if (!node.isObject()) {
            error(path, "must be an object");
            return new OrderItem("", 1, 0);
        }
        rejectUnknown(node, path + ".", Set.of("sku", "quantity", "unitPrice"));
        return new OrderItem(
                text(node, path + ".", "sku", MAX_SKU),
                (int) integer(node, path + ".", "quantity", 1, MAX_QUANTITY),
                integer(node, path + ".", "unitPrice", 0, Long.MAX_VALUE));
    }

    private String text(JsonNode parent, String path, String name, int max) {
        JsonNode node = parent.path(name);
        String text = node.textValue();
        if (text == null) {
            error(path + name, node.isMissingNode() ? "is missing" : "must be text");
        } else if (text.isBlank()) {
            error(path + name, "must not be empty");
        } else if (text.codePointCount(0, text.length()) > max) {
            error(path + name, "must have at most " + max + " characters");
        } else if (text.codePoints().anyMatch(OrderRequest::isForbidden)) {
            error(path + name, "must not have control characters or half characters");
        } else {
            return text;
        }
        return "";
    }

    /**
     * Returns true for a character that no text of an order may contain. PostgreSQL cannot store
     * NUL or half of a surrogate pair. No name needs the other control characters.
     */
    private static boolean isForbidden(int character) {
        return Character.isISOControl(character) || Character.getType(character) == Character.SURROGATE;
    }

    private long integer(JsonNode parent, String path, String name, long min, long max) {
        JsonNode node = parent.path(name);
        if (node.isMissingNode()) {
            error(path + name, "is missing");
        } else if (!node.isIntegralNumber()) {
            error(path + name, "must be a whole number");
        } else if (!node.canConvertToLong() || node.longValue() < min || node.longValue() > max) {
            error(path + name, "must be from " + min + " to " + max);
        } else {
            return node.longValue();
        }
        return min;
    }

    private void rejectUnknown(JsonNode object, String path, Set<String> known) {
        for (Iterator<String> names = object.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!known.contains(name)) {
                error(path + name.substring(0, Math.min(name.length(), MAX_NAME_SHOWN)), "is not known");
            }
        }
    }

    private void error(String field, String message) {
        errors.add(new FieldError(field, message));
    }
}
