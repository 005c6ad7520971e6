package com.example.orders.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

class DurationsTest {
    /** The TypeScript test durations.test.ts reads the same file, for the durations in jobs.ts. */
    @ParameterizedTest
    @CsvFileSource(resources = "/durations.csv", quoteCharacter = '\'')
    void acceptsWholeNumbersWithAUnit(String text, boolean accepted) {
        assertEquals(accepted, Durations.parse(text).isPresent(), text);
    }
}
