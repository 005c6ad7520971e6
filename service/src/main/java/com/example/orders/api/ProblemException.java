package com.example.orders.api;

import com.example.orders.api.Problem.FieldError;
import java.util.List;

/** Ends a request with an error response. */
final class ProblemException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient Problem problem;

    ProblemException(int status, String detail) {
        this(Problem.of(status, detail));
    }

    ProblemException(int status, String detail, List<FieldError> errors) {
        this(Problem.of(status, detail, errors));
    }

    private ProblemException(Problem problem) {
        super(problem.detail());
        this.problem = problem;
    }

    static ProblemException badField(int status, String field, String message) {
        return new ProblemException(status, field + " " + message, List.of(new FieldError(field, message)));
    }

    Problem problem() {
        return problem;
    }
}
