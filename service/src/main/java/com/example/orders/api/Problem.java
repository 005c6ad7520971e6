package com.example.orders.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import org.eclipse.jetty.http.HttpStatus;

/** The body of an error response, in the form of RFC 9457 (problem details). */
@JsonPropertyOrder({"type", "title", "status", "detail", "errors"})
record Problem(
        String type,
        String title,
        int status,
        String detail,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<FieldError> errors) {

    static final String CONTENT_TYPE = "application/problem+json";

    /**
     * A wrong field. {@code field} is a path such as {@code items[0].quantity}, or the name of a
     * parameter or header.
     */
    record FieldError(String field, String message) {}

    static Problem of(int status, String detail, List<FieldError> errors) {
        // RFC 9457: with the type "about:blank", the title is the reason phrase of the HTTP status.
        return new Problem("about:blank", HttpStatus.getMessage(status), status, detail, List.copyOf(errors));
    }

    static Problem of(int status, String detail) {
        return of(status, detail, List.of());
    }
}
