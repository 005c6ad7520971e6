package com.example.orders.store;

import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;

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

    /**
     * Returns the migrations of this jar that the database does not have, or that failed.
     * Additional migrations of a newer jar are allowed: during a rollout or a rollback, older code
     * works with the newer schema.
     */
    public List<String> missing() {
        MigrationInfo[] all =
                Flyway.configure(SchemaCheck.class.getClassLoader())
                        .dataSource(database)
                        .locations("classpath:db/migration")
                        .load()
                        .info()
                        .all();
        return Arrays.stream(all)
                .filter(info -> info.getState().isResolved())
                .filter(info -> !info.getState().isApplied() || info.getState().isFailed())
                .map(MigrationInfo::getScript)
                .toList();
    }
}
