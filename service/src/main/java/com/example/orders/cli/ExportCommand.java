package com.example.orders.cli;

import com.example.orders.store.DataSources;
import com.example.orders.store.OrderStore;
import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "export",
        description = {
            "Writes orders to standard output, oldest first.",
            "JSON has orders exactly as the API shows them. CSV has one row for each order, and puts a ' before"
                    + " a customer that a spreadsheet would take for a formula."
        })
final class ExportCommand implements Callable<Integer> {
    enum Format {
        csv,
        json
    }

    private final OutputStream standardOutput;

    @ParentCommand private OrdersCommand parent;

    @Option(
            names = "--since",
            required = true,
            paramLabel = "DATE|DURATION",
            description = "The creation time of the first order: 2026-01-31, 2026-01-31T12:00:00Z, 48h, 7d.")
    private Since since;

    @Option(names = "--format", required = true, description = "One of: ${COMPLETION-CANDIDATES}.")
    private Format format;

    ExportCommand(OutputStream standardOutput) {
        this.standardOutput = standardOutput;
    }

    @Override
    public Integer call() throws Exception {
        OrderStore store = new OrderStore(DataSources.unpooled(parent.configuration().database()));
        // System.out would hide that the disk is full or that the reader has gone.
        OutputStream out = new BufferedOutputStream(standardOutput, 1 << 16);
        OrderExport export = format == Format.csv ? new CsvExport(out) : new JsonExport(out);
        store.forEachSince(since.instant(), export);
        export.finish();
        return 0;
    }
}
