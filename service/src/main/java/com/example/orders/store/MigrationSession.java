package com.example.orders.store;

import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;

/**
 * Sets two limits for each connection of a migration.
 *
 * <ul>
 *   <li>How long a statement waits for a lock on a table. PostgreSQL makes later statements for
 *       this table wait for the statement of the migration, so this limit also limits the wait of
 *       requests.
 *   <li>How soon the server ends a statement whose client has disconnected. Without this limit, the
 *       statement of a killed migration continues to its end, and keeps Flyway's lock.
 * </ul>
 */
final class MigrationSession implements Callback {
    private static final Duration CLIENT_CHECK = Duration.ofSeconds(5);

    private final Duration tableLockWait;

    MigrationSession(Duration tableLockWait) {
        this.tableLockWait = tableLockWait;
    }

    @Override
    public boolean supports(Event event, Context context) {
        // Sets the limits before each script, and not only for a new connection. Otherwise, a SET
        // command in an earlier script would apply to the later scripts.
        return event == Event.AFTER_CONNECT || event == Event.BEFORE_EACH_MIGRATE;
    }

    @Override
    public boolean canHandleInTransaction(Event event, Context context) {
        return true;
    }

    @Override
    public void handle(Event event, Context context) {
        try (Statement statement = context.getConnection().createStatement()) {
            statement.execute("SET lock_timeout = " + tableLockWait.toMillis());
            statement.execute("SET client_connection_check_interval = " + CLIENT_CHECK.toMillis());
        } catch (SQLException e) {
            throw new FlywayException("cannot set the limits of a migration's connection", e);
        }
    }

    @Override
    public String getCallbackName() {
        return "session";
    }
}
