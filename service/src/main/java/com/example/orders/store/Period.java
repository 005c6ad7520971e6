package com.example.orders.store;

import java.time.Instant;
import org.slf4j.Logger;

/**
 * A period that includes {@code from} but not {@code to}. So no order is in both of two consecutive
 * periods.
 */
public record Period(Instant from, Instant to) {
    /**
     * Writes a log line such as "exported the orders from ... to ...". The two times are text,
     * because the log would show an Instant as a number, which {@code --from} and {@code --to}
     * refuse.
     */
    public void log(Logger log, String what) {
        log.atInfo()
                .addKeyValue("from", from.toString())
                .addKeyValue("to", to.toString())
                .log(what + " from {} to {}", from, to);
    }
}
