package com.example.orders.support;

import com.example.orders.api.ApiServer;
import com.example.orders.api.ManagementServer;
import com.example.orders.api.Readiness;
import com.example.orders.config.DatabaseConfiguration;
import com.example.orders.store.DataSources;
import com.example.orders.store.OrderStore;
import com.example.orders.store.SchemaCheck;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

/** Runs the API and its management port in the process of the test, on free ports. */
public final class TestApi implements AutoCloseable {
    private final HikariDataSource pool;
    private final Readiness readiness;
    private final ApiServer server;
    private final ManagementServer management;

    public TestApi(DatabaseConfiguration database) throws Exception {
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        pool = DataSources.pool(database, metrics);
        readiness = new Readiness(new SchemaCheck(DataSources.check(database)), metrics);
        server = new ApiServer(0, "test-version", new OrderStore(pool), metrics);
        management = new ManagementServer(0, "test-version", readiness, server::isDraining, metrics);
        server.start();
        management.start();
    }

    public int port() {
        return server.port();
    }

    public ApiServer server() {
        return server;
    }

    public Client client() {
        return new Client(port());
    }

    /** A client of the management port. */
    public Client management() {
        return new Client(management.port());
    }

    @Override
    public void close() {
        management.close();
        server.close();
        readiness.close();
        pool.close();
    }
}
