package com.example.orders.store;

import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;

/**
 * Sets how long a statement of a migration waits for a lock on a table. All later requests wait
 * behind that statement, so no request waits longer than this time.
 */
final class TableLockWait implements Callback {
    private final Duration limit;

    TableLockWait(Duration limit) {
        this.limit = limit;
    }

    @Override
    public boolean supports(Event event, Context context) {
        // Also before each script: the SET of an earlier one would stay for the whole run.
        return event == Event.AFTER_CONNECT || event == Event.BEFORE_EACH_MIGRATE;
    }

    @Override
    public boolean canHandleInTransaction(Event event, Context context) {
        return true;
    }

    @Override
    public void handle(Event event, Context context) {
        try (Statement statement = context.getConnection().createStatement()) {
            statement.execute("SET lock_timeout = " + limit.toMillis());
        } catch (SQLException e) {
            throw new FlywayException("cannot set lock_timeout", e);
        }
    }

    @Override
    public String getCallbackName() {
        return "lock_timeout";
    }
}
