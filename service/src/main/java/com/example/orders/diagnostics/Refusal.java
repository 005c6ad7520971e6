package com.example.orders.diagnostics;

/** Error for a request that the service refuses. The caller gets the message as one line. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1;

    private final int status;

    Refusal(int status, String message) {
        super(message);
        this.status = status;
    }

    int status() {
        return status;
    }
}
