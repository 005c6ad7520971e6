package com.example.orders.config;

/** A variable of the environment is missing or bad; the message names it and is one line. */
public final class ConfigurationException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ConfigurationException(String variable, String problem) {
        super(variable + " " + problem);
    }
}
