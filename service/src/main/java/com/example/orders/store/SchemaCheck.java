package com.example.orders.store;

import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;

/** What the database must have before this version can serve requests. */
public final class SchemaCheck {
    private final DataSource database;

    public SchemaCheck(DataSource database) {
        this.database = database;
    }

    /** @throws SQLException if no connection can be made: the server is away, or refuses the password */
    public void connect() throws SQLException {
        database.getConnection().close();
    }

    /**
     * Migrations of this jar that the database does not have, or that failed there. Migrations of a newer
     * jar do not count: while a rollout or a rollback runs, older code works with the newer schema.
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
