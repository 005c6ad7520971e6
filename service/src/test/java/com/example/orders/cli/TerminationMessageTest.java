package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TerminationMessageTest {
    private static final String QUOTE = "Key (customer)=(Ana García) already exists";

    @ParameterizedTest
    @CsvSource({"23505", "22P02", "42P01", "XX000", "0"})
    void textOfAStatementThatTheDatabaseRefusesIsNotInTheMessage(String state) {
        SQLException refused = new SQLException(QUOTE, state);
        String expected = "the database refused a statement (SQLSTATE " + state + ")";
        assertEquals(expected, TerminationMessage.of(refused, QUOTE));
        assertEquals(expected, TerminationMessage.of(new IOException(QUOTE, refused), QUOTE));
        assertEquals(expected, TerminationMessage.of(new IllegalStateException(QUOTE, refused), QUOTE));
    }

    @ParameterizedTest
    @CsvSource({"08001", "08007", "28P01", "3D000", "53300", "57P01"})
    void reasonOfADatabaseThatIsAwayIsTheMessage(String state) {
        String reason = "Connection to localhost:1 refused";
        assertEquals(reason, TerminationMessage.of(new SQLException(reason, state), reason));
    }

    @Test
    void exceptionOfTheProgramHasOnlyItsName() {
        assertEquals("IllegalStateException", TerminationMessage.of(new IllegalStateException(QUOTE), QUOTE));
    }

    @Test
    void failureOfTheOutputIsTheMessage() {
        String reason = "No space left on device";
        assertEquals(reason, TerminationMessage.of(new IOException(reason), reason));
    }

    @Test
    void messageReplacesTheContentOfTheFile(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("termination-log"), "the longer message of an earlier end");
        TerminationMessage.write(file, "export: no");
        assertEquals("export: no", Files.readString(file));
    }

    @Test
    void nothingIsCreatedOutsideAContainer(@TempDir Path directory) {
        Path file = directory.resolve("termination-log");
        TerminationMessage.write(file, "export: no");
        assertFalse(Files.exists(file));
    }
}
