package com.example.orders.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Values that Maven has written into the jar. */
public final class BuildInfo {
    private BuildInfo() {}

    public static String contentHash() {
        Properties properties = new Properties();
        try (InputStream file = BuildInfo.class.getResourceAsStream("build.properties")) {
            properties.load(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("contentHash");
    }
}
