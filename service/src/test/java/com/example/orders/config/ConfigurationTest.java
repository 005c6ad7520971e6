package com.example.orders.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationTest {
    private final Map<String, String> variables =
            new HashMap<>(Map.of("DATABASE_HOST", "db", "DATABASE_USERNAME", "orders", "DATABASE_PASSWORD", "s3cret"));

    @Test
    void defaults() {
        Configuration configuration = read();
        assertEquals(8080, configuration.port());
        assertEquals(8081, configuration.managementPort());
        DatabaseConfiguration database = configuration.database();
        assertEquals("db:5432/orders", database.toString());
        assertEquals("orders", database.username().value());
        assertEquals("s3cret", database.password().value());
        assertEquals(10, database.poolSize());
        assertEquals(Tls.PREFERRED, database.tls());
        assertEquals(Duration.ofSeconds(30), configuration.drain());
        assertEquals(Duration.ofSeconds(60), configuration.migrateWait());
        assertEquals(Optional.empty(), configuration.diagnostics());
        assertEquals("development", configuration.version());
        assertFalse(configuration.toString().contains("s3cret"), configuration.toString());
    }

    @ParameterizedTest
    @CsvSource({
        "DATABASE_HOST, ''",
        "DATABASE_USERNAME, ''",
        "DATABASE_PASSWORD, ''",
        "PORT, http",
        "PORT, 65536",
        "MANAGEMENT_PORT, 65536",
        "MANAGEMENT_PORT, 8080",
        "DATABASE_PORT, 0",
        "DATABASE_POOL_SIZE, 0",
        "DRAIN_SECONDS, -1",
        "MIGRATE_WAIT, soon",
        "LOG_LEVEL, loud",
        "DD_VERSION, 'two words'",
        "DATABASE_PASSWORD_FILE, /nothing",
        "DATABASE_SSLMODE, always",
        "DATABASE_SSLROOTCERT, /nothing"
    })
    void badVariableIsNamed(String variable, String value) {
        variables.put(variable, value);
        String message = assertThrows(ConfigurationException.class, this::read).getMessage();
        assertTrue(variable.startsWith(message.split(" ")[0]), message);
        assertTrue(message.contains(variable), message);
        assertFalse(message.contains("s3cret"), message);
    }

    @Test
    void verificationNeedsAnAuthority(@TempDir Path directory) throws Exception {
        variables.put("DATABASE_SSLMODE", "verify-full");
        String message = assertThrows(ConfigurationException.class, this::read).getMessage();
        assertEquals("DATABASE_SSLROOTCERT is not set, but DATABASE_SSLMODE=verify-full requires it", message);

        Path file = Files.writeString(directory.resolve("ca.crt"), "");
        variables.put("DATABASE_SSLROOTCERT", file.toString());
        assertEquals(
                new Tls(Tls.Mode.VERIFY_FULL, Optional.of(file.toString())),
                read().database().tls());
    }

    @Test
    void secretComesFromItsFileWithoutTheLastNewline(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("password"), " from file \n");
        variables.remove("DATABASE_PASSWORD");
        variables.put("DATABASE_PASSWORD_FILE", file.toString());
        assertEquals(" from file ", read().database().password().value());
    }

    @Test
    void secretInAFileIsReadAgain(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("password"), "before");
        variables.remove("DATABASE_PASSWORD");
        variables.put("DATABASE_PASSWORD_FILE", file.toString());
        Secret password = read().database().password();
        assertEquals("before", password.value());
        Files.writeString(file, "after");
        assertEquals("after", password.value());
    }

    @Test
    void diagnosticsNeedADirectoryAndItsSize(@TempDir Path directory) {
        variables.put("DIAGNOSTICS_PORT", "8083");
        assertEquals(
                "DIAGNOSTICS_DIRECTORY is not set",
                assertThrows(ConfigurationException.class, this::read).getMessage());
        variables.put("DIAGNOSTICS_DIRECTORY", directory.toString());
        variables.put("DIAGNOSTICS_VOLUME_BYTES", "677380096");
        variables.put("DIAGNOSTICS_POD_BYTES", "1Gi");
        assertEquals(
                "DIAGNOSTICS_POD_BYTES must be a number of bytes, not \"1Gi\"",
                assertThrows(ConfigurationException.class, this::read).getMessage());
        variables.put("DIAGNOSTICS_POD_BYTES", "1073741824");
        assertEquals(
                Optional.of(new DiagnosticsConfiguration(8083, directory, 677_380_096, 1L << 30)),
                read().diagnostics());
    }

    private Configuration read() {
        return Configuration.from(new Environment(variables));
    }
}
