package com.example.orders.config;

public record DatabaseConfiguration(
        String host, int port, String name, String username, String password, int poolSize) {

    /** Without the password, so that no log line or exception can show it. */
    @Override
    public String toString() {
        return username + "@" + host + ":" + port + "/" + name;
    }
}
