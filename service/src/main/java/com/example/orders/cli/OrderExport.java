package com.example.orders.cli;

import com.example.orders.store.OrderConsumer;
import java.io.IOException;

/** Writes orders, one by one, in one format. */
interface OrderExport extends OrderConsumer {
    /**
     * Writes what the format has after the last order, and flushes. Until this call, the output is
     * incomplete.
     */
    void finish() throws IOException;
}
