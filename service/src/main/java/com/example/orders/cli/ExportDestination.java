package com.example.orders.cli;

import com.example.orders.store.Period;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** The place to which an export writes its orders. */
interface ExportDestination extends AutoCloseable {
    /**
     * Returns the stream for the orders of a period. The output is complete when the caller has
     * closed the stream without an error.
     */
    OutputStream open(Period period) throws IOException;

    /** Removes an output that is not complete. */
    @Override
    void close();

    /**
     * Returns a destination that writes to an existing stream. Its {@code close} does not remove
     * anything from this stream.
     */
    static ExportDestination of(OutputStream stream) {
        return new ExportDestination() {
            @Override
            public OutputStream open(Period period) {
                return new BufferedOutputStream(stream, 1 << 16);
            }

            @Override
            public void close() {}
        };
    }
}
