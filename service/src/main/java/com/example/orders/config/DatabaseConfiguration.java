package com.example.orders.config;

public record DatabaseConfiguration(
        String host, int port, String name, Secret username, Secret password, int poolSize, Tls tls) {

    public DatabaseConfiguration(String host, int port, String name, String username, String password, int poolSize) {
        this(host, port, name, Secret.of(username), Secret.of(password), poolSize, Tls.PREFERRED);
    }

    @Override
    public String toString() {
        return host + ":" + port + "/" + name;
    }
}
