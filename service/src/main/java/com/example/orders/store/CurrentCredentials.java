package com.example.orders.store;

import com.example.orders.config.ConfigurationException;
import com.example.orders.config.DatabaseConfiguration;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLInvalidAuthorizationSpecException;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Reads user name and password for each new connection. After a rotation the open connections go on, and
 * the next one uses the new password: no restart.
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
            // As a wrong password: the file may be complete again a moment later.
            throw new SQLInvalidAuthorizationSpecException(e.getMessage(), INVALID_AUTHORIZATION, e);
        }
        return getConnection(username, password);
    }
}
