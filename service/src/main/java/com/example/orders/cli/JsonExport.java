package com.example.orders.cli;

import com.example.orders.api.Json;
import com.example.orders.model.Order;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;

/** One JSON array of orders. */
final class JsonExport implements OrderExport {
    private final JsonGenerator json;

    JsonExport(OutputStream out) throws IOException {
        json = Json.MAPPER.createGenerator(out);
        json.writeStartArray();
    }

    @Override
    public void accept(Order order) throws IOException {
        json.writePOJO(order);
    }

    @Override
    public void finish() throws IOException {
        json.writeEndArray();
        json.writeRaw('\n');
        json.flush();
    }
}
