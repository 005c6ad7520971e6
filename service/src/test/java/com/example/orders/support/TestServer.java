package com.example.orders.support;

import com.example.orders.config.DatabaseConfiguration;
import com.example.orders.config.Secret;
import com.example.orders.config.Tls;
import com.example.orders.store.DataSources;
import com.example.orders.store.Migrations;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;

/**
 * A PostgreSQL server for one test. The server requires the password of the role {@code orders}. A
 * test can stop the server, and can start it again on the same port with the same data. The server
 * of {@link TestDatabase} requires no password, and all tests share that server.
 */
public final class TestServer implements AutoCloseable {
    private static final String DATABASE = "postgres";
    private static final String RULES = """
            host all postgres all trust
            hostssl all orders all scram-sha-256
            host all orders all scram-sha-256
            """;

    private final Path directory;
    private final int port;
    private final Map<String, String> settings;
    private EmbeddedPostgres server;

    private TestServer(Path directory, Map<String, String> settings) throws IOException {
        this.directory = directory;
        this.port = ServiceProcess.freePort();
        this.settings = new HashMap<>(settings);
        this.settings.put(
                "hba_file", Files.writeString(directory.resolve("rules"), RULES).toString());
    }

    /**
     * Starts a database server, and applies all migrations. The role {@code orders} may read and
     * change all tables.
     */
    public static TestServer start(Path directory, String password, Map<String, String> settings)
            throws IOException, SQLException, InterruptedException {
        TestServer server = new TestServer(directory, settings);
        server.comeBack();
        new Migrations(DataSources.unpooled(server.configuration("postgres", Secret.of("postgres")))).migrate();
        server.execute("CREATE ROLE orders LOGIN PASSWORD '" + password + "'");
        server.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO orders");
        return server;
    }

    public DatabaseConfiguration configuration(String username, Secret password) {
        return configuration("localhost", username, password, Tls.PREFERRED);
    }

    public DatabaseConfiguration configuration(String host, String username, Secret password, Tls tls) {
        return new DatabaseConfiguration(host, port, DATABASE, Secret.of(username), password, 4, tls);
    }

    public void execute(String sql) throws SQLException {
        try (Connection connection = server.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Ends the open connections of the service, as a failover or an administrator does. */
    public void dropConnections() throws SQLException {
        execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orders'");
    }

    public void stop() throws IOException {
        server.close();
    }

    public void comeBack() throws IOException {
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setDataDirectory(directory.resolve("data"))
                .setCleanDataDirectory(false)
                .setPort(port);
        settings.forEach(builder::setServerConfig);
        server = builder.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
