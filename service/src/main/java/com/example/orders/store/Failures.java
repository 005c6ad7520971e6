package com.example.orders.store;

import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.util.Set;

/** Decides whether a retry may succeed after a failure of the database. */
public final class Failures {
    /** SQLSTATE of a server that accepts only reads, such as a standby after a failover. */
    static final String READ_ONLY = "25006";

    /** SQLSTATE of a failure after which it is unknown whether the transaction is committed. */
    static final String OUTCOME_UNKNOWN = "08007";

    // SQLSTATE classes. 08: connection. 28: authentication (also while someone changes a password).
    // 40: rollback of a transaction that conflicts with another transaction. 53: out of
    // connections, memory or disk. 57: the server stops, starts or cancels the statement.
    private static final Set<String> UNAVAILABLE_CLASSES = Set.of("08", "28", "40", "53", "57");
    private static final Set<String> UNAVAILABLE_STATES = Set.of(
            READ_ONLY, // a failover has made the server a standby
            "25P03", // this process was paused for so long that the server ended the transaction
            "3D000", // no such database: not created yet
            "42P01"); // no such table: not migrated yet
    private static final String SERVER_IS_STARTING = "57P03";

    private Failures() {}

    /** Whether the database cannot serve requests now. The same request may succeed later. */
    public static boolean isUnavailable(SQLException failure) {
        String state = failure.getSQLState();
        return failure instanceof SQLTransientException
                || state != null
                        && (UNAVAILABLE_STATES.contains(state) || UNAVAILABLE_CLASSES.contains(state.substring(0, 2)));
    }

    /**
     * Whether no server listens at the address, or the server is still starting. Returns false for
     * a wrong password, for example.
     */
    public static boolean isNotStarted(SQLException failure) {
        String state = failure.getSQLState();
        return state != null && (state.startsWith("08") || state.equals(SERVER_IS_STARTING));
    }
}
