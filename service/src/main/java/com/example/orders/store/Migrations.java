package com.example.orders.store;

import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.output.MigrateResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings the schema to the version of this jar; what is done already is not done again. */
public final class Migrations {
    private static final Logger log = LoggerFactory.getLogger(Migrations.class);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
    // One attempt a second: how long to wait for another pod that migrates at the same time.
    private static final int LOCK_ATTEMPTS = 300;

    private final DataSource database;

    public Migrations(DataSource database) {
        this.database = database;
    }

    /** @return how many migrations were applied */
    public int migrate() {
        MigrateResult result =
                Flyway.configure(Migrations.class.getClassLoader())
                        .dataSource(database)
                        .locations("classpath:db/migration")
                        .validateMigrationNaming(true)
                        .lockRetryCount(LOCK_ATTEMPTS)
                        .load()
                        .migrate();
        return result.migrationsExecuted;
    }

    /** Returns when the database takes connections, and throws the last failure if it does not in time. */
    public void awaitDatabase(Duration limit) throws SQLException, InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (true) {
            try {
                database.getConnection().close();
                return;
            } catch (SQLException e) {
                if (!Failures.isNotStarted(e) || System.nanoTime() + RETRY_AFTER.toNanos() > end) {
                    throw e;
                }
                log.info("waiting for the database: {}", e.getMessage());
            }
            Thread.sleep(RETRY_AFTER.toMillis());
        }
    }
}
