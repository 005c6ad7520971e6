package com.example.orders.store;

import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;

/** Checks the connection to the database, and that the database has the migrations of this jar. */
public final class SchemaCheck {
    private final DataSource database;

    public SchemaCheck(DataSource database) {
        this.database = database;
    }

    /**
     * @throws SQLException if no connection can be opened: the server is not available, or
     *     refuses the password
     */
    public void connect() throws SQLException {
        database.getConnection().close();
    }

    /** Returns what {@link Migrations#missing()} returns. */
    public List<String> missing() {
        return new Migrations(database).missing();
    }
}
