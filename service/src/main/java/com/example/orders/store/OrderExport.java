package com.example.orders.store;

import java.io.IOException;

/** Writes the orders of one period, one by one. */
public interface OrderExport extends OrderConsumer {
    /** Called once, before the first order. */
    void begin(Period period) throws IOException;

    /**
     * Called once, after the last order. Until this call succeeds, the output is incomplete and does
     * not count.
     */
    void finish() throws IOException;
}
