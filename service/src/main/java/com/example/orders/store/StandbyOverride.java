package com.example.orders.store;

import com.zaxxer.hikari.SQLExceptionOverride;
import java.sql.SQLException;

/**
 * Makes the pool close a connection to a server that has become a standby. A standby still answers
 * queries that only read, so the pool would keep the connection for half an hour after a failover,
 * and each new order on this connection would fail.
 */
final class StandbyOverride implements SQLExceptionOverride {
    @java.lang.Override
    public Override adjudicate(SQLException failure) {
        return Failures.READ_ONLY.equals(failure.getSQLState()) ? Override.MUST_EVICT : Override.CONTINUE_EVICT;
    }
}
