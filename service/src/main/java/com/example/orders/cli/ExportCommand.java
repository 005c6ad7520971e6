package com.example.orders.cli;

import com.example.orders.store.DataSources;
import com.example.orders.store.OrderExport;
import com.example.orders.store.OrderExports;
import com.example.orders.store.Period;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.SQLException;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "export",
        description = {
            "Writes orders, the oldest order first, to standard output or to Amazon S3.",
            "Use the standard output only if the exit code is 0.",
            "JSON has one line for each order, in the form of the API. CSV has one row for each order.",
            "If a spreadsheet would run a customer's name as a formula, CSV has an apostrophe before the name.",
            "By default, there are no customers' names, because the standard output of a job goes into a log."
        })
final class ExportCommand implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(ExportCommand.class);
    // The name is a part of the object's key in S3. The name contains no slash, so that no export
    // writes into the folder of another export. The name does not begin with a dot, so that no
    // program interprets the name as a directory such as "..".
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,99}");

    enum Format {
        csv,
        json
    }

    private final OutputStream standardOutput;

    @ParentCommand
    private OrdersCommand parent;

    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private ExportRange range;

    @Option(names = "--format", required = true, description = "One of: ${COMPLETION-CANDIDATES}.")
    private Format format;

    @Option(
            names = "--output",
            paramLabel = "s3://BUCKET/PREFIX",
            description = {
                "Writes one object to Amazon S3 instead of standard output. The key has the start of the period.",
                "A failed export leaves no incomplete object. A second export of the same period replaces the object."
            })
    private S3Uri output;

    @Option(names = "--with-customers", description = "Also writes the customers' names.")
    private boolean withCustomers;

    ExportCommand(OutputStream standardOutput) {
        this.standardOutput = standardOutput;
    }

    @Override
    public Integer call() throws Exception {
        if (range.name != null && !NAME.matcher(range.name).matches()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--continue must be a name of 1 to 100 letters, digits, '-', '_' and '.', and begin with a"
                            + " letter or a digit, got '" + range.name + "'");
        }
        OrderExports orders =
                new OrderExports(DataSources.unpooled(parent.configuration().database()));
        try (ExportDestination destination = destination()) {
            OrderExport export = format == Format.csv
                    ? new CsvExport(destination, withCustomers)
                    : new JsonExport(destination, withCustomers);
            export(orders, export).log(log, "exported the orders");
        }
        return 0;
    }

    private ExportDestination destination() throws IOException {
        return output == null
                ? ExportDestination.of(standardOutput)
                : S3Destination.of(output, period -> range.fileName(period) + "." + format);
    }

    private Period export(OrderExports orders, OrderExport export) throws SQLException, IOException {
        if (range.name != null) {
            return orders.exportNext(range.name, export);
        }
        Period period = range.since == null
                ? wholePeriod(orders.completeUntil())
                : new Period(range.since.instant(), DayOrInstant.LATEST);
        orders.export(period, export);
        return period;
    }

    private Period wholePeriod(Instant completeUntil) {
        ExportRange.Days days = range.days;
        Period period = new Period(days.from.in(days.zone), days.to.in(days.zone));
        if (!period.from().isBefore(period.to())) {
            throw new ParameterException(spec.commandLine(), "--from must be before --to");
        }
        if (period.to().isAfter(completeUntil)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--to must be at least five minutes ago, because newer orders may not be in the database yet");
        }
        return period;
    }
}
