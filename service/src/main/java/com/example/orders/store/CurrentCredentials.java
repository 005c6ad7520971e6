package com.example.orders.store;

import com.example.orders.config.ConfigurationException;
import com.example.orders.config.DatabaseConfiguration;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLInvalidAuthorizationSpecException;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Reads the user name and the password again for each new connection. So a rotation of the password
 * needs no restart: open connections continue, and new connections use the new password.
 */
final class CurrentCredentials extends PGSimpleDataSource {
    private static final long serialVersionUID = 1;
    private static final String INVALID_AUTHORIZATION = "28000";

    private final transient DatabaseConfiguration database;

    CurrentCredentials(DatabaseConfiguration database) {
        this.database = database;
    }

    @Override
    public Connection getConnection() throws SQLException {
        String username;
        String password;
        try {
            username = database.username().value();
            password = database.password().value();
        } catch (ConfigurationException e) {
            // Throws the same error as for a wrong password, because for this error, the service
            // answers with status 503, and clients then try again. A file with a user name or a
            // password may be complete a moment later.
            throw new SQLInvalidAuthorizationSpecException(e.getMessage(), INVALID_AUTHORIZATION, e);
        }
        return getConnection(username, password);
    }
}
