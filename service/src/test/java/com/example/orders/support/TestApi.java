package com.example.orders.support;

import com.example.orders.api.ApiServer;
import com.example.orders.api.Readiness;
import com.example.orders.config.DatabaseConfiguration;
import com.example.orders.store.DataSources;
import com.example.orders.store.OrderStore;
import com.example.orders.store.SchemaCheck;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

/** Runs the API in the process of the test, on a free port. */
public final class TestApi implements AutoCloseable {
    private final HikariDataSource pool;
    private final Readiness readiness;
    private final ApiServer server;

    public TestApi(DatabaseConfiguration database) throws Exception {
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        pool = DataSources.pool(database, metrics);
        readiness = new Readiness(new SchemaCheck(DataSources.check(database)), metrics);
        server =
                new ApiServer(
                        0, "test-version", new OrderStore(pool), readiness, metrics);
        server.start();
    }

    public int port() {
        return server.port();
    }

    public Client client() {
        return new Client(port());
    }

    @Override
    public void close() {
        server.close();
        readiness.close();
        pool.close();
    }
}
