package com.example.orders.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/** Whether the database answers and has the tables that requests need. */
public final class SchemaCheck {
    private final DataSource database;

    public SchemaCheck(DataSource database) {
        this.database = database;
    }

    public void run() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            // Names what this version needs and reads no row.
            statement.execute(
                    "SELECT o.settlement_key, i.unit_price FROM orders o, order_items i WHERE false");
        }
    }
}
