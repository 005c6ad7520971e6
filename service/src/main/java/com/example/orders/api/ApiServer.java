package com.example.orders.api;

import com.example.orders.store.OrderStore;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.servlet.JavalinServlet;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.EagerContentHandler;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server of the API: Javalin's routes in a Jetty server, which this class starts, drains
 * and stops.
 */
public final class ApiServer implements AutoCloseable {
    static final String VERSION_HEADER = "Service-Version";

    private static final Logger log = LoggerFactory.getLogger(ApiServer.class);
    // Number of threads of the server. The number can be large, because a blocked thread needs
    // little memory. At most ORDER_REQUESTS threads handle requests for orders. The other threads
    // are for short responses, such as an error response. No thread waits for a client. Health and
    // metrics have their own server.
    static final int THREADS = 400;
    private static final int ORDER_REQUESTS = 350;
    // Maximum memory for clients that send or read slowly: an eighth of the memory of a pod with
    // 512 MiB.
    private static final long SLOW_CLIENT_BYTES = 64 << 20;
    // Maximum number of open connections. A connection that has not sent a complete header yet
    // needs about 16 KiB of memory, so 2,000 such connections need 32 MiB. When the server has
    // reached the maximum, a new connection waits until an open connection closes.
    private static final int CONNECTIONS = 2000;
    // Maximum number of new connections in the kernel's queue while the server is busy. Java's
    // default of 50 is too small: if the queue is full, a client tries to connect again only after
    // a second.
    private static final int ACCEPT_QUEUE = 1024;
    // During a drain, the server stops listening when it has had no open request for this time.
    // While a client has an open connection, the server waits longer (QUIET_WITH_CONNECTIONS),
    // because that client may send another request. The response to this request tells the client
    // to close the connection.
    private static final Duration QUIET = Duration.ofSeconds(1);
    private static final Duration QUIET_WITH_CONNECTIONS = Duration.ofSeconds(5);
    // After the server has stopped listening, it closes its connections when it has had no open
    // request for this time. A short time is enough, because clients can then send requests only on
    // connections that the server has already accepted.
    private static final Duration QUIET_AT_END = Duration.ofMillis(250);
    // Idle timeout of a connection. This timeout is longer than the idle timeout of load balancers
    // (60 s for an ALB, 90 s for Traefik), so the load balancer closes the connection first. If the
    // server closed the connection first, a request that the load balancer sends at that moment
    // would fail.
    private static final Duration IDLE = Duration.ofMinutes(2);

    final QueuedThreadPool threads = new QueuedThreadPool(THREADS);
    private final Server server = new Server(threads);
    private final ServerConnector connector;
    private final OpenRequests openRequests;
    private volatile boolean draining;

    public ApiServer(int port, String version, OrderStore store, PrometheusMeterRegistry metrics) {
        Javalin javalin = Javalin.create(config -> {
            configure(config);
            closeConnectionsDuringDrain(config);
            new RequestMetrics(metrics).register(config);
            new OrderRoutes(store, new Admission(ORDER_REQUESTS)).register(config.routes);
        });

        SlowClients clients = new SlowClients(SlowClients.LIMIT, SLOW_CLIENT_BYTES, metrics);
        Handler whole = new EagerContentHandler(new Traces(servlets(javalin)), new WholeBodies(clients));
        openRequests = new OpenRequests(new BufferedAnswers(whole, clients));
        server.setHandler(openRequests);
        server.setErrorHandler(new JettyErrors(version));

        connector = new ServerConnector(server, new HttpConnectionFactory(http(version)));
        connector.setPort(port);
        connector.setIdleTimeout(IDLE.toMillis());
        connector.setAcceptQueueSize(ACCEPT_QUEUE);
        server.addBean(new NetworkConnectionLimit(CONNECTIONS, connector));
        server.addConnector(connector);
    }

    /** Sets the options that are the same for the servers of the API and of the management port. */
    static void configure(JavalinConfig config) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.http.prefer405over404 = true;
        ErrorAnswers.register(config);
    }

    static ServletContextHandler servlets(Javalin javalin) {
        ServletContextHandler servlets = new ServletContextHandler();
        servlets.addServlet(new ServletHolder(new JavalinServlet(javalin.unsafe)), "/*");
        return servlets;
    }

    static HttpConfiguration http(String version) {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.addCustomizer((request, headers) -> withVersion(request, headers, version));
        return http;
    }

    private static Request withVersion(Request request, HttpFields.Mutable headers, String version) {
        headers.put(VERSION_HEADER, version);
        return request;
    }

    private void closeConnectionsDuringDrain(JavalinConfig config) {
        config.routes.after(context -> {
            if (draining) {
                context.header("Connection", "close");
            }
        });
    }

    public void start() throws Exception {
        server.start();
    }

    public int port() {
        return connector.getLocalPort();
    }

    public boolean isDraining() {
        return draining;
    }

    /**
     * Stops the server. First, the readiness check begins to fail. When no more requests arrive, or
     * after half of {@code limit}, the server stops listening. When no request is open, the server
     * closes its connections. Only requests that are still open after {@code limit} fail.
     */
    public void drain(Duration limit) throws InterruptedException {
        draining = true;
        long start = System.nanoTime();
        log.info("draining: {} requests are open", openRequests.count());
        // If clients continue to send requests, the server stops listening after half of the limit.
        // In the second half, it answers requests only on the connections that it has already
        // accepted.
        openRequests.awaitQuiet(
                () -> connector.getConnectedEndPoints().isEmpty() ? QUIET : QUIET_WITH_CONNECTIONS,
                start + limit.toNanos() / 2);
        connector.close();
        openRequests.awaitQuiet(() -> QUIET_AT_END, start + limit.toNanos());
        if (openRequests.count() > 0) {
            log.warn("the drain limit has passed: {} requests are cut off", openRequests.count());
        }
        close();
    }

    @Override
    public void close() {
        LifeCycle.stop(server);
    }
}
