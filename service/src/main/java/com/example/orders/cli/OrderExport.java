package com.example.orders.cli;

import com.example.orders.store.OrderConsumer;
import java.io.IOException;

/** Writes orders one by one in some format. */
interface OrderExport extends OrderConsumer {
    /** Writes what comes after the last order, and flushes; without it the output is incomplete. */
    void finish() throws IOException;
}
