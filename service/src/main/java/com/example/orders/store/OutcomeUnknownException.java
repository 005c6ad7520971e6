package com.example.orders.store;

import java.sql.SQLException;

/** The call of commit failed, so it is unknown whether the transaction is committed. */
public final class OutcomeUnknownException extends SQLException {
    private static final long serialVersionUID = 1;

    OutcomeUnknownException(SQLException cause) {
        super(cause.getMessage(), cause.getSQLState(), cause);
    }
}
