package com.example.orders.store;

import com.example.orders.config.DatabaseConfiguration;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Creates the data sources: one for commands, and two for the server. */
public final class DataSources {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

    private DataSources() {}

    /**
     * Returns the data source for commands. This data source opens a new connection for each call,
     * and has no timeout for statements, because a migration or an export may run for minutes.
     */
    public static PGSimpleDataSource unpooled(DatabaseConfiguration database) {
        PGSimpleDataSource source = new CurrentCredentials(database);
        source.setServerNames(new String[] {database.host()});
        source.setPortNumbers(new int[] {database.port()});
        source.setDatabaseName(database.name());
        source.setSslMode(database.tls().mode().word());
        // If this path is not set, the driver looks for a certificate in the user's home directory.
        database.tls().rootCertificate().ifPresent(source::setSslRootCert);
        source.setApplicationName("services-orders");
        source.setConnectTimeout(seconds(CONNECT_TIMEOUT));
        source.setTcpKeepAlive(true);
        return source;
    }

    /**
     * Returns the connection pool for requests. The pool starts even if the database is not
     * available, and connects when the database becomes available.
     */
    public static HikariDataSource pool(DatabaseConfiguration database, MeterRegistry metrics) {
        HikariConfig pool = config(database);
        pool.setPoolName("orders");
        pool.setMaximumPoolSize(database.poolSize());
        pool.setConnectionTimeout(CONNECT_TIMEOUT.toMillis());
        pool.setMetricRegistry(metrics);
        return new HikariDataSource(pool);
    }

    /**
     * Returns the data source for the readiness check. This data source has short timeouts, and
     * opens a new connection for each check, so the check also shows whether the current password
     * is right.
     */
    public static DataSource check(DatabaseConfiguration database) {
        PGSimpleDataSource source = unpooled(database);
        source.setSocketTimeout(seconds(CONNECT_TIMEOUT));
        return source;
    }

    private static HikariConfig config(DatabaseConfiguration database) {
        PGSimpleDataSource source = unpooled(database);
        // If the database no longer answered, a request without this timeout would wait forever.
        source.setSocketTimeout(seconds(ANSWER_TIMEOUT));
        HikariConfig pool = new HikariConfig();
        pool.setDataSource(source);
        // PostgreSQL ends a statement one second before this process stops waiting for the result.
        // PostgreSQL also ends a transaction whose client no longer sends statements. So if the
        // service has answered that a request failed, PostgreSQL does not commit the request later.
        long limit = ANSWER_TIMEOUT.toMillis() * 9 / 10;
        pool.setConnectionInitSql(
                "SET statement_timeout = " + limit + "; SET idle_in_transaction_session_timeout = " + limit);
        // A request waits while another request with the same key runs. With this isolation level,
        // the waiting request then finds the order that the other request has stored.
        pool.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        pool.setInitializationFailTimeout(-1);
        pool.setExceptionOverride(new StandbyOverride());
        return pool;
    }

    private static int seconds(Duration duration) {
        return Math.toIntExact(duration.toSeconds());
    }
}
