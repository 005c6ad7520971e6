package com.example.orders.store;

import com.example.orders.config.DatabaseConfiguration;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The ways to the database: one for commands, two for the server. */
public final class DataSources {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

    private DataSources() {}

    /**
     * For commands: a new connection each time, without a limit on how long a statement takes
     * (a migration or an export may run for minutes).
     */
    public static PGSimpleDataSource unpooled(DatabaseConfiguration database) {
        PGSimpleDataSource source = new CurrentCredentials(database);
        source.setServerNames(new String[] {database.host()});
        source.setPortNumbers(new int[] {database.port()});
        source.setDatabaseName(database.name());
        source.setSslMode(database.tls().mode().word());
        // Without this name, the driver looks for a certificate in the user's home directory.
        database.tls().rootCertificate().ifPresent(source::setSslRootCert);
        source.setApplicationName("services-orders");
        source.setConnectTimeout(seconds(CONNECT_TIMEOUT));
        source.setTcpKeepAlive(true);
        return source;
    }

    /** For requests. It opens also while the database is away, and recovers when it comes back. */
    public static HikariDataSource pool(DatabaseConfiguration database, MeterRegistry metrics) {
        HikariConfig pool = config(database);
        pool.setPoolName("orders");
        pool.setMaximumPoolSize(database.poolSize());
        pool.setConnectionTimeout(CONNECT_TIMEOUT.toMillis());
        pool.setMetricRegistry(metrics);
        return new HikariDataSource(pool);
    }

    /**
     * To learn whether the database is there: a new connection each time, which also shows whether the
     * password of this moment is right, and short time limits.
     */
    public static DataSource check(DatabaseConfiguration database) {
        PGSimpleDataSource source = unpooled(database);
        source.setSocketTimeout(seconds(CONNECT_TIMEOUT));
        return source;
    }

    private static HikariConfig config(DatabaseConfiguration database) {
        PGSimpleDataSource source = unpooled(database);
        // Without this a request hangs for as long as a database that stopped answering.
        source.setSocketTimeout(seconds(ANSWER_TIMEOUT));
        HikariConfig pool = new HikariConfig();
        pool.setDataSource(source);
        // The server ends a statement before the answer is given up, and a transaction whose client is
        // gone: what an answer calls failed must not be committed later.
        long limit = ANSWER_TIMEOUT.toMillis() * 9 / 10;
        pool.setConnectionInitSql(
                "SET statement_timeout = " + limit + "; SET idle_in_transaction_session_timeout = " + limit);
        // A request that waited for another one with its key must see what that one has stored.
        pool.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        pool.setInitializationFailTimeout(-1);
        pool.setExceptionOverride(new StandbyOverride());
        return pool;
    }

    private static int seconds(Duration duration) {
        return Math.toIntExact(duration.toSeconds());
    }
}
