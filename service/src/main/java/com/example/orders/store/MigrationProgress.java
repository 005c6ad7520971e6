package com.example.orders.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs at regular intervals which migration runs, and how long it has run. For CREATE INDEX, the
 * log line also contains the phase and the percentage that PostgreSQL reports. The output of a
 * deploy shows the newest of these log lines.
 */
final class MigrationProgress implements Callback, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(MigrationProgress.class);
    // In some phases, PostgreSQL counts the progress in blocks, and in other phases in tuples. In a
    // phase without these counts, such as a wait for other transactions, the percentage is NULL.
    private static final String INDEX_PROGRESS = """
            SELECT command, phase,
                   CASE WHEN blocks_total > 0 THEN 100 * blocks_done / blocks_total
                        WHEN tuples_total > 0 THEN 100 * tuples_done / tuples_total END
            FROM pg_stat_progress_create_index WHERE pid = ?""";

    private final DataSource database;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "migration-progress");
        thread.setDaemon(true);
        return thread;
    });
    private volatile Running running;

    /** A migration that runs, and the id of the PostgreSQL process that runs it. */
    private record Running(String script, int process, long since) {}

    MigrationProgress(DataSource database, Duration period) {
        this.database = database;
        clock.scheduleWithFixedDelay(this::report, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public boolean supports(Event event, Context context) {
        return event == Event.BEFORE_EACH_MIGRATE
                || event == Event.AFTER_EACH_MIGRATE
                || event == Event.AFTER_EACH_MIGRATE_ERROR;
    }

    @Override
    public boolean canHandleInTransaction(Event event, Context context) {
        return true;
    }

    @Override
    public void handle(Event event, Context context) {
        if (event != Event.BEFORE_EACH_MIGRATE) {
            running = null;
            return;
        }
        String script = context.getMigrationInfo().getScript();
        try (Statement statement = context.getConnection().createStatement();
                ResultSet process = statement.executeQuery("SELECT pg_backend_pid()")) {
            process.next();
            running = new Running(script, process.getInt(1), System.nanoTime());
        } catch (SQLException e) {
            throw new FlywayException("cannot read the number of the server process", e);
        }
        log.atInfo().addKeyValue("script", script).log("{} starts", script);
    }

    @Override
    public String getCallbackName() {
        return "progress";
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }

    private void report() {
        Running now = running;
        if (now == null) {
            return;
        }
        long seconds = Duration.ofNanos(System.nanoTime() - now.since()).toSeconds();
        log.atInfo()
                .addKeyValue("script", now.script())
                .addKeyValue("seconds", seconds)
                .log("{} runs for {} s{}", now.script(), seconds, indexProgress(now.process()));
    }

    /**
     * Returns the progress of CREATE INDEX. Empty if the migration creates no index at this moment,
     * or if this process cannot read the progress.
     */
    private String indexProgress(int process) {
        try (Connection connection = database.getConnection();
                PreparedStatement query = connection.prepareStatement(INDEX_PROGRESS)) {
            query.setInt(1, process);
            try (ResultSet row = query.executeQuery()) {
                if (!row.next()) {
                    return "";
                }
                String percent = row.getString(3);
                return ", " + row.getString(1) + ": " + row.getString(2)
                        + (percent == null ? "" : ", " + percent + " %");
            }
        } catch (SQLException e) {
            return "";
        }
    }
}
