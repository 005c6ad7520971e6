package com.example.orders.store;

import com.zaxxer.hikari.SQLExceptionOverride;
import java.sql.SQLException;

/**
 * Throws away a connection to a server that became a standby. It answers reads, so the pool would keep it
 * for half an hour after a failover, and each order that meets it would fail.
 */
final class StandbyOverride implements SQLExceptionOverride {
    @java.lang.Override
    public Override adjudicate(SQLException failure) {
        return Failures.READ_ONLY.equals(failure.getSQLState()) ? Override.MUST_EVICT : Override.CONTINUE_EVICT;
    }
}
