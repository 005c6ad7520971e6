package com.example.orders.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import org.eclipse.jetty.http.HttpStatus;

/** An error answer as RFC 9457 wants it. */
@JsonPropertyOrder({"type", "title", "status", "detail", "errors"})
record Problem(
        String type,
        String title,
        int status,
        String detail,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<FieldError> errors) {

    static final String CONTENT_TYPE = "application/problem+json";

    /** {@code field} is a path as in {@code items[0].quantity}, or the name of a parameter or header. */
    record FieldError(String field, String message) {}

    static Problem of(int status, String detail, List<FieldError> errors) {
        // "about:blank" says that the problem is what its status says; the title is then its phrase.
        return new Problem("about:blank", HttpStatus.getMessage(status), status, detail, List.copyOf(errors));
    }

    static Problem of(int status, String detail) {
        return of(status, detail, List.of());
    }
}
