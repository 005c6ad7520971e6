package com.example.orders.cli;

import com.example.orders.config.Durations;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import picocli.CommandLine.TypeConversionException;

/** The value of the option {@code --since}: a day, an instant, or a duration before now. */
record Since(Instant instant) {
    // Earliest time that the command accepts. Java has earlier times, but PostgreSQL cannot compare
    // with them.
    static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");
    static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

    static Since parse(String text) {
        try {
            Optional<Duration> duration = Durations.parse(text);
            Instant instant = duration.map(Instant.now()::minus).orElseGet(() -> date(text));
            if (!instant.isBefore(EARLIEST) && !instant.isAfter(LATEST)) {
                return new Since(instant);
            }
        } catch (DateTimeException e) {
            // The code below throws the error, for this case and for times out of range.
        }
        throw new TypeConversionException(
                "'" + text + "' is not a date (2026-01-31, 2026-01-31T12:00:00Z) or a duration (48h, 7d)");
    }

    private static Instant date(String text) {
        return text.contains("T")
                ? OffsetDateTime.parse(text).toInstant()
                : LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant();
    }
}
