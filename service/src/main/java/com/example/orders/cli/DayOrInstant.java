package com.example.orders.cli;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.Optional;
import picocli.CommandLine.TypeConversionException;

/**
 * The start or the end of a period: an instant, or a day, which means the start of that day in the
 * time zone of the command.
 */
record DayOrInstant(Optional<LocalDate> day, Optional<Instant> instant) {
    static DayOrInstant parse(String text) {
        try {
            DayOrInstant parsed =
                    text.contains("T")
                            ? new DayOrInstant(
                                    Optional.empty(), Optional.of(OffsetDateTime.parse(text).toInstant()))
                            : new DayOrInstant(Optional.of(LocalDate.parse(text)), Optional.empty());
            Instant utc = parsed.in(ZoneId.of("Z"));
            if (!utc.isBefore(Since.EARLIEST) && !utc.isAfter(Since.LATEST)) {
                return parsed;
            }
        } catch (DateTimeException e) {
            // The code below throws the error, for this case and for times out of range.
        }
        throw new TypeConversionException(
                "'" + text + "' is not a day such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z");
    }

    static ZoneId zone(String text) {
        try {
            return ZoneId.of(text);
        } catch (DateTimeException e) {
            throw new TypeConversionException(
                    "'" + text + "' is not a time zone such as America/Sao_Paulo or UTC");
        }
    }

    Instant in(ZoneId zone) {
        return instant.or(() -> day.map(date -> date.atStartOfDay(zone).toInstant())).orElseThrow();
    }
}
