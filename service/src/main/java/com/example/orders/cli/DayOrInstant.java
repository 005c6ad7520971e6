package com.example.orders.cli;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Optional;
import picocli.CommandLine.TypeConversionException;

/**
 * The start or the end of a period: an instant or a day. A day means the start of that day in the
 * time zone of the command.
 */
record DayOrInstant(Optional<LocalDate> day, Optional<Instant> instant) {
    // Earliest time that the command accepts. Java supports earlier times, but PostgreSQL does not
    // support all of these times.
    private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");
    static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

    static DayOrInstant parse(String text) {
        try {
            return of(text);
        } catch (DateTimeException e) {
            throw new TypeConversionException(
                    "'" + text + "' is not a day such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z");
        }
    }

    /** @throws DateTimeException if the text is not a day or a time, or is out of range */
    static DayOrInstant of(String text) {
        DayOrInstant parsed = text.contains("T")
                ? new DayOrInstant(
                        Optional.empty(), Optional.of(OffsetDateTime.parse(text).toInstant()))
                : new DayOrInstant(Optional.of(LocalDate.parse(text)), Optional.empty());
        inRange(parsed.in(ZoneOffset.UTC));
        return parsed;
    }

    /** @throws DateTimeException if the command does not accept the time */
    static Instant inRange(Instant instant) {
        if (instant.isBefore(EARLIEST) || instant.isAfter(LATEST)) {
            throw new DateTimeException("out of range: " + instant);
        }
        return instant;
    }

    static ZoneId zone(String text) {
        try {
            return ZoneId.of(text);
        } catch (DateTimeException e) {
            throw new TypeConversionException("'" + text + "' is not a time zone such as America/Sao_Paulo or UTC");
        }
    }

    Instant in(ZoneId zone) {
        return instant.or(() -> day.map(date -> date.atStartOfDay(zone).toInstant()))
                .orElseThrow();
    }
}
