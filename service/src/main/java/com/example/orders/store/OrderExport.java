package com.example.orders.store;

import java.io.IOException;

/** Writes the orders of one period, one by one. */
public interface OrderExport extends OrderConsumer {
    /** `OrderExports` calls this method once, before the first order. */
    void begin(Period period) throws IOException;

    /**
     * `OrderExports` calls this method once, after the last order. Until this call succeeds, the
     * output is incomplete.
     */
    void finish() throws IOException;
}
