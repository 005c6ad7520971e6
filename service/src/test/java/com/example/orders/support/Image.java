package com.example.orders.support;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Reads from the Dockerfile how a container starts the JVM. */
public final class Image {
    private static final Path DOCKERFILE = Path.of("Dockerfile");
    private static final String ENTRYPOINT = "ENTRYPOINT ";

    private Image() {}

    /**
     * Returns the JVM options of the image.
     *
     * @param tmp directory that replaces {@code /tmp}, because each container has its own
     *     {@code /tmp}
     */
    public static List<String> jvmOptions(Path tmp) throws IOException {
        String command = Files.readAllLines(DOCKERFILE).stream()
                .filter(line -> line.startsWith(ENTRYPOINT))
                .findFirst()
                .orElseThrow();
        String json = command.substring(ENTRYPOINT.length());
        return Stream.of(new ObjectMapper().readValue(json, String[].class))
                .filter(argument -> argument.startsWith("-"))
                .filter(argument -> !argument.equals("-jar"))
                .map(argument -> argument.replace("/tmp", tmp.toString()))
                .toList();
    }
}
