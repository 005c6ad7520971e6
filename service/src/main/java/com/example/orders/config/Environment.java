package com.example.orders.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads environment variables, and converts their values to types. A variable with an empty value
 * is the same as a variable that is not set.
 */
public final class Environment {
    // The service sends the version in a header of every response, so the version may contain only
    // characters that a header allows.
    private static final Pattern VERSION = Pattern.compile("[!-~]{1,128}");

    private final Map<String, String> variables;

    public Environment(Map<String, String> variables) {
        this.variables = Map.copyOf(variables);
    }

    public String version() {
        String version = text("DD_VERSION", "development");
        if (!VERSION.matcher(version).matches()) {
            throw new ConfigurationException("DD_VERSION", "must be 1 to 128 visible ASCII characters");
        }
        return version;
    }

    String text(String variable, String otherwise) {
        return find(variable).orElse(otherwise);
    }

    String required(String variable) {
        return find(variable).orElseThrow(() -> new ConfigurationException(variable, "is not set"));
    }

    int integer(String variable, int otherwise, int least, int most) {
        String text = text(variable, Integer.toString(otherwise));
        try {
            int value = Integer.parseInt(text);
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // The statement below throws the exception for texts that are not a number, and for
            // numbers out of range.
        }
        throw new ConfigurationException(
                variable, "must be a whole number from " + least + " to " + most + ", not \"" + text + "\"");
    }

    Duration duration(String variable, String otherwise) {
        String text = text(variable, otherwise);
        return Durations.parse(text)
                .orElseThrow(() -> new ConfigurationException(
                        variable, "must be a duration such as 60s or 5m, not \"" + text + "\""));
    }

    /** Returns the settings of the diagnostics server. Empty without DIAGNOSTICS_PORT. */
    Optional<DiagnosticsConfiguration> diagnostics() {
        String port = "DIAGNOSTICS_PORT";
        return find(port).map(set -> {
            String directory = required("DIAGNOSTICS_DIRECTORY");
            if (!Files.isWritable(Path.of(directory))) {
                throw new ConfigurationException(
                        "DIAGNOSTICS_DIRECTORY", "names a directory that cannot be written: " + directory);
            }
            return new DiagnosticsConfiguration(
                    integer(port, 0, 0, 65535),
                    Path.of(directory),
                    bytes("DIAGNOSTICS_VOLUME_BYTES"),
                    bytes("DIAGNOSTICS_POD_BYTES"));
        });
    }

    private long bytes(String variable) {
        String text = required(variable);
        if (!text.matches("[0-9]{1,18}")) {
            throw new ConfigurationException(variable, "must be a number of bytes, not \"" + text + "\"");
        }
        return Long.parseLong(text);
    }

    Tls tls() {
        Tls.Mode mode = Tls.Mode.of(oneOf("DATABASE_SSLMODE", "prefer", Tls.Mode.WORDS));
        Optional<String> rootCertificate = find("DATABASE_SSLROOTCERT");
        if (mode.verifies() && rootCertificate.isEmpty()) {
            throw new ConfigurationException(
                    "DATABASE_SSLROOTCERT", "is not set, but DATABASE_SSLMODE=" + mode.word() + " requires it");
        }
        // Checks at the start that this process can read the file. With verify-ca and verify-full,
        // no connection to the database can succeed without the file.
        if (rootCertificate.isPresent() && !Files.isReadable(Path.of(rootCertificate.get()))) {
            throw new ConfigurationException(
                    "DATABASE_SSLROOTCERT", "names a file that cannot be read: " + rootCertificate.get());
        }
        return new Tls(mode, rootCertificate);
    }

    String oneOf(String variable, String otherwise, String... words) {
        String text = text(variable, otherwise);
        String word = text.toLowerCase(Locale.ROOT);
        if (!List.of(words).contains(word)) {
            throw new ConfigurationException(
                    variable, "must be one of " + String.join(", ", words) + ", not \"" + text + "\"");
        }
        return word;
    }

    /**
     * Returns a secret from the variable itself, or from the file that the variable with the suffix
     * {@code _FILE} names. Such a file is usually a mounted Kubernetes Secret.
     */
    Secret secret(String variable) {
        String fileVariable = variable + "_FILE";
        Optional<String> value = find(variable);
        Optional<String> file = find(fileVariable);
        if (value.isPresent() && file.isPresent()) {
            throw new ConfigurationException(variable, "and " + fileVariable + " are both set: set only one");
        }
        Secret secret = value.map(Secret::of)
                .or(() -> file.map(path -> Secret.file(fileVariable, path)))
                .orElseThrow(() -> new ConfigurationException(
                        variable, "and " + fileVariable + " are both missing: set one of them"));
        // Reads the file once at the start. If the file is missing or empty, the configuration is
        // wrong, so the process ends with an error.
        secret.value();
        return secret;
    }

    private Optional<String> find(String variable) {
        return Optional.ofNullable(variables.get(variable)).filter(value -> !value.isEmpty());
    }
}
