package com.example.orders.cli;

import com.example.orders.model.Order;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** CSV of RFC 4180 in UTF-8: one row for each order. */
final class CsvExport implements OrderExport {
    private static final CSVFormat FORMAT =
            CSVFormat.RFC4180
                    .builder()
                    .setHeader("id", "customer", "currency", "status", "total", "createdAt", "updatedAt")
                    .get();

    private final CSVPrinter csv;

    CsvExport(OutputStream out) throws IOException {
        csv = new CSVPrinter(new OutputStreamWriter(out, StandardCharsets.UTF_8), FORMAT);
    }

    @Override
    public void accept(Order order) throws IOException {
        csv.printRecord(
                order.id(),
                notFormula(order.customer()),
                order.currency(),
                order.status().text(),
                order.total(),
                order.createdAt(),
                order.updatedAt());
    }

    @Override
    public void finish() throws IOException {
        csv.flush();
    }

    /** A spreadsheet runs a cell that begins so; quoting does not stop it, and customers choose this text. */
    private static String notFormula(String text) {
        return "=+-@".indexOf(text.charAt(0)) >= 0 ? "'" + text : text;
    }
}
