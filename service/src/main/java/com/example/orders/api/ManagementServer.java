package com.example.orders.api;

import io.javalin.Javalin;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * The HTTP server for health and metrics. This server has its own port, which clients of the API
 * cannot reach, and its own threads. So the health routes also answer when requests block all
 * threads of the API. During a drain, this server answers until the process ends.
 */
public final class ManagementServer implements AutoCloseable {
    // One thread accepts connections, one thread waits for data on the connections, and Jetty
    // reserves some threads. The other threads are enough for a few simultaneous requests from
    // probes and Prometheus.
    private static final int THREADS = 12;

    private final Server server = new Server(new QueuedThreadPool(THREADS, 1));
    private final ServerConnector connector;

    public ManagementServer(
            int port, String version, Readiness readiness, BooleanSupplier draining, PrometheusMeterRegistry metrics) {
        Javalin javalin = Javalin.create(config -> {
            ApiServer.configure(config);
            new HealthRoutes(version, readiness, draining).register(config.routes);
            config.routes.get(
                    "/metrics",
                    context -> context.contentType("text/plain; version=0.0.4; charset=utf-8")
                            .result(metrics.scrape()));
        });
        server.setHandler(ApiServer.servlets(javalin));
        server.setErrorHandler(new JettyErrors(version));
        connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(ApiServer.http(version)));
        connector.setPort(port);
        server.addConnector(connector);
    }

    public void start() throws Exception {
        server.start();
    }

    public int port() {
        return connector.getLocalPort();
    }

    @Override
    public void close() {
        LifeCycle.stop(server);
    }
}
