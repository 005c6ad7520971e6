package com.example.orders.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * A user name or a password. If the value comes from a file, each call of {@link #value()} reads
 * the file again, so the value can change.
 */
public final class Secret {
    private final Supplier<String> source;

    private Secret(Supplier<String> source) {
        this.source = source;
    }

    public static Secret of(String value) {
        return new Secret(() -> value);
    }

    /** @param variable the environment variable that names the file, for error messages */
    static Secret file(String variable, String file) {
        return new Secret(() -> read(variable, file));
    }

    /** @throws ConfigurationException if the file cannot be read, or is empty */
    public String value() {
        return source.get();
    }

    private static String read(String variable, String file) {
        String content;
        try {
            content = Files.readString(Path.of(file));
        } catch (IOException | InvalidPathException e) {
            throw new ConfigurationException(variable, "names a file that cannot be read: " + file);
        }
        // Editors and `echo` end a file with a newline, which is not part of the secret. Any other
        // white space may be part of a password.
        String secret = content.replaceFirst("[\r\n]+$", "");
        if (secret.isEmpty()) {
            throw new ConfigurationException(variable, "names an empty file: " + file);
        }
        return secret;
    }

    /**
     * Returns a text that does not contain the value, so that no log line or exception shows the
     * secret.
     */
    @Override
    public String toString() {
        return "(secret)";
    }
}
