package com.example.orders.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Applies the migrations of this jar that the database does not have yet. */
public final class Migrations {
    private static final Logger log = LoggerFactory.getLogger(Migrations.class);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
    // Maximum number of attempts to get Flyway's lock, one attempt per second, while another pod
    // migrates.
    private static final int LOCK_ATTEMPTS = 300;
    // How long a statement of a migration waits for a lock on a table. Requests that wait for this
    // statement keep their connections, so other requests may have to wait for a connection. A
    // request waits at most 3 s for a connection, so this time must be shorter than 3 s.
    private static final Duration TABLE_LOCK_WAIT = Duration.ofSeconds(1);
    // Pause between two attempts to get a lock on a table. During the pause, requests can use the
    // table.
    private static final Duration TABLE_LOCK_PAUSE = Duration.ofSeconds(5);
    // Maximum number of attempts to get a lock on a table. All attempts and pauses together take
    // about four minutes. This time must be less than five minutes, because a rollout fails after
    // five minutes without progress.
    private static final int TABLE_LOCK_ATTEMPTS = 40;
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    private static final Duration PROGRESS_PERIOD = Duration.ofSeconds(10);

    private final DataSource database;
    private final Duration progressPeriod;
    private final String[] locations;

    public Migrations(DataSource database) {
        this(database, PROGRESS_PERIOD, "classpath:db/migration");
    }

    /**
     * @param progressPeriod time between two log lines about the progress of a migration
     * @param locations locations of the migrations, in Flyway's form
     */
    Migrations(DataSource database, Duration progressPeriod, String... locations) {
        this.database = database;
        this.progressPeriod = progressPeriod;
        this.locations = locations;
    }

    /** Applies all missing migrations, in the same way as {@link #migrateTo}. */
    public int migrate() throws SQLException, InterruptedException {
        return migrateTo(Optional.empty());
    }

    /**
     * Applies the missing migrations up to a version. Applies no migration if the database has this
     * version or a newer version. If a migration does not get its lock on a table within a second,
     * this method stops the migration, and starts it again later. So a request waits only a short
     * time for a migration that waits for its lock.
     *
     * @param version a version of this jar, such as "12". If empty, the newest version of this jar.
     * @return how many migrations the last attempt applied
     */
    public int migrateTo(Optional<String> version) throws SQLException, InterruptedException {
        try (MigrationProgress progress = new MigrationProgress(database, progressPeriod)) {
            FluentConfiguration configuration =
                    configuration().callbacks(new MigrationSession(TABLE_LOCK_WAIT), progress);
            version.ifPresent(configuration::target);
            Flyway flyway = configuration.load();
            for (int attempt = 1; ; attempt++) {
                try {
                    forgetFailures();
                    return flyway.migrate().migrationsExecuted;
                } catch (FlywayException e) {
                    if (!isLockTimeout(e) || attempt == TABLE_LOCK_ATTEMPTS) {
                        throw e;
                    }
                    log.warn("a table is in use, so the migration is tried again: {}", e.getMessage());
                }
                Thread.sleep(TABLE_LOCK_PAUSE.toMillis());
            }
        }
    }

    /** Whether this jar has the migration with this version. */
    public boolean has(String version) {
        MigrationVersion wanted = MigrationVersion.fromVersion(version);
        return Arrays.stream(configuration().load().info().all())
                .anyMatch(info -> info.getState().isResolved() && wanted.equals(info.getVersion()));
    }

    /**
     * Returns the migrations of this jar that the database does not have, or that failed. The
     * database may also have migrations of a newer jar: during a rollout or a rollback, older code
     * works with the newer schema.
     */
    public List<String> missing() {
        return Arrays.stream(configuration().load().info().all())
                .filter(info -> info.getState().isResolved())
                .filter(info -> !info.getState().isApplied() || info.getState().isFailed())
                .map(MigrationInfo::getScript)
                .toList();
    }

    private FluentConfiguration configuration() {
        FluentConfiguration configuration = Flyway.configure(Migrations.class.getClassLoader())
                .dataSource(database)
                .locations(locations)
                .validateMigrationNaming(true)
                .lockRetryCount(LOCK_ATTEMPTS);
        // With the default, Flyway holds its lock in a transaction. CREATE INDEX CONCURRENTLY would
        // wait forever for the end of this transaction.
        configuration
                .getConfigurationExtension(PostgreSQLConfigurationExtension.class)
                .setTransactionalLock(false);
        return configuration;
    }

    /**
     * Deletes failed migrations from Flyway's history, because Flyway refuses to run while the
     * history has a failure. Only a migration that runs without a transaction can leave a failure
     * in the history. Such a migration must be idempotent, because it runs again.
     */
    private void forgetFailures() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet history = statement.executeQuery("SELECT to_regclass('flyway_schema_history') IS NOT NULL")) {
            history.next();
            if (history.getBoolean(1)) {
                statement.executeUpdate("DELETE FROM flyway_schema_history WHERE NOT success");
            }
        }
    }

    private static boolean isLockTimeout(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException e && LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                return true;
            }
        }
        return false;
    }

    /**
     * Waits until the database accepts connections. If the database does not accept connections
     * within the limit, this method throws the last failure. If a longer wait cannot help, for
     * example after a wrong password, this method throws the failure immediately.
     */
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
