package com.example.orders.cli;

import com.example.orders.config.Durations;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import picocli.CommandLine.TypeConversionException;

/** The value of the option {@code --since}: a day, an instant, or a duration before now. */
record Since(Instant instant) {
    static Since parse(String text) {
        try {
            Optional<Duration> duration = Durations.parse(text);
            Instant instant = duration.map(Instant.now()::minus)
                    .orElseGet(() -> DayOrInstant.of(text).in(ZoneOffset.UTC));
            return new Since(DayOrInstant.inRange(instant));
        } catch (DateTimeException e) {
            throw new TypeConversionException(
                    "'" + text + "' is not a date (2026-01-31, 2026-01-31T12:00:00Z) or a duration (48h, 7d)");
        }
    }
}
