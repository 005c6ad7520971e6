package com.example.orders.cli;

import com.example.orders.store.Period;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/**
 * The options that choose the orders of an export. The command accepts exactly one of these:
 * {@code --since}, {@code --continue}, or {@code --from} together with {@code --to}.
 */
final class ExportRange {
    // In an alphabetical list of times in this format, the oldest time is first.
    private static final DateTimeFormatter FILE_TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSSSSSX").withZone(ZoneOffset.UTC);

    @Option(
            names = "--since",
            paramLabel = "DATE|DURATION",
            description = "All orders since this time: a date in UTC (2026-01-31), a time (2026-01-31T12:00:00Z),"
                    + " or a duration before now (48h, 7d).")
    Since since;

    @Option(
            names = "--continue",
            paramLabel = "NAME",
            description = {
                "The orders since the last complete export with this NAME, but of at most 7 days.",
                "The first export with a NAME begins with the oldest order.",
                "Orders of the last five minutes are for a later export.",
                "If someone kills an export at its end, the export may count as complete, but its output may be lost.",
                "The log of the killed export has its period: export that period again with --from and --to."
            })
    String name;

    @ArgGroup(exclusive = false)
    Days days;

    /**
     * Returns the name of the file with the orders of a period. A second export of the same period,
     * with the same options, has the same file name as the first export and replaces the file. If
     * an export with {@code --continue} fails, the next export begins at the same time, but may end
     * later. So with {@code --continue}, the name of the file contains only the start of the
     * period.
     */
    String fileName(Period period) {
        if (name != null) {
            return name + "/" + FILE_TIME.format(period.from());
        }
        String from = (since == null ? "" : "since-") + FILE_TIME.format(period.from());
        return since == null ? from + "-" + FILE_TIME.format(period.to()) : from;
    }

    /**
     * A period between two days or two times. A period includes its start, but not its end, so each
     * order is in only one of two consecutive periods.
     */
    static final class Days {
        @Option(
                names = "--from",
                required = true,
                paramLabel = "DAY|TIME",
                description = "The first day, or the first moment, of a period.")
        DayOrInstant from;

        @Option(
                names = "--to",
                required = true,
                paramLabel = "DAY|TIME",
                description = "The end of a period: the first day, or the first moment, that is not in the period. The"
                        + " end must be at least five minutes ago.")
        DayOrInstant to;

        @Option(
                names = "--zone",
                defaultValue = "UTC",
                paramLabel = "ZONE",
                description = "The time zone of the days, such as America/Sao_Paulo (default: UTC).")
        ZoneId zone;
    }
}
