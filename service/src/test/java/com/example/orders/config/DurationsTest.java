package com.example.orders.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

class DurationsTest {
    /** The check of jobs.ts has a test with the same examples. */
    @ParameterizedTest
    @CsvFileSource(resources = "/durations.csv", quoteCharacter = '\'')
    void acceptsWholeNumbersWithAUnit(String text, boolean accepted) {
        assertEquals(accepted, Durations.parse(text).isPresent(), text);
    }
}
