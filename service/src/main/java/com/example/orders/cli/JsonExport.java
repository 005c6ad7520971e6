package com.example.orders.cli;

import com.example.orders.api.Json;
import com.example.orders.model.Order;
import com.example.orders.store.OrderExport;
import com.example.orders.store.Period;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.OutputStream;

/** Writes orders as newline-delimited JSON, one order in each line. */
final class JsonExport implements OrderExport {
    @JsonIgnoreProperties("customer")
    private interface WithoutCustomer {}

    private final ExportDestination destination;
    private final ObjectWriter json;
    private OutputStream out;

    JsonExport(ExportDestination destination, boolean withCustomers) {
        ObjectMapper mapper = Json.MAPPER.copy();
        if (!withCustomers) {
            mapper.addMixIn(Order.class, WithoutCustomer.class);
        }
        this.destination = destination;
        json = mapper.writerFor(Order.class);
    }

    @Override
    public void begin(Period period) throws IOException {
        out = destination.open(period);
    }

    @Override
    public void accept(Order order) throws IOException {
        // Writes bytes, because a JSON generator would flush the output after each order.
        out.write(json.writeValueAsBytes(order));
        out.write('\n');
    }

    @Override
    public void finish() throws IOException {
        out.close();
    }
}
