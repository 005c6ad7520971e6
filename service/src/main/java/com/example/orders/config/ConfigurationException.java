package com.example.orders.config;

/**
 * An environment variable is missing or invalid. The message is one line and contains the name of
 * the variable.
 */
public final class ConfigurationException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ConfigurationException(String variable, String problem) {
        super(variable + " " + problem);
    }
}
