package com.example.orders.cli;

import com.example.orders.model.Order;
import com.example.orders.store.OrderExport;
import com.example.orders.store.Period;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** Writes orders as CSV (RFC 4180) in UTF-8, one row for each order. */
final class CsvExport implements OrderExport {
    private static final int CUSTOMER = 1;

    private final ExportDestination destination;
    private final boolean withCustomers;
    private CSVPrinter csv;

    CsvExport(ExportDestination destination, boolean withCustomers) {
        this.destination = destination;
        this.withCustomers = withCustomers;
    }

    @Override
    public void begin(Period period) throws IOException {
        csv = new CSVPrinter(
                new OutputStreamWriter(destination.open(period), StandardCharsets.UTF_8), CSVFormat.RFC4180);
        print("customer", "id", "currency", "status", "total", "createdAt", "updatedAt");
    }

    @Override
    public void accept(Order order) throws IOException {
        print(
                notFormula(order.customer()),
                order.id(),
                order.currency(),
                order.status().text(),
                order.total(),
                order.createdAt(),
                order.updatedAt());
    }

    @Override
    public void finish() throws IOException {
        csv.close();
    }

    private void print(String customer, Object... others) throws IOException {
        List<Object> row = new ArrayList<>(List.of(others));
        if (withCustomers) {
            row.add(CUSTOMER, customer);
        }
        csv.printRecord(row);
    }

    /**
     * Puts an apostrophe before a text that a spreadsheet would run as a formula. The check is
     * necessary because customers choose the text. Quotes around a text do not prevent a
     * spreadsheet from running the text.
     */
    private static String notFormula(String text) {
        return "=+-@".indexOf(text.charAt(0)) >= 0 ? "'" + text : text;
    }
}
