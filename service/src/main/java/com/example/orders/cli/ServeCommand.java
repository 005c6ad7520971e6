package com.example.orders.cli;

import com.example.orders.api.ApiServer;
import com.example.orders.api.ManagementServer;
import com.example.orders.api.Readiness;
import com.example.orders.config.BuildInfo;
import com.example.orders.config.Configuration;
import com.example.orders.diagnostics.DiagnosticsServer;
import com.example.orders.store.DataSources;
import com.example.orders.store.OrderStore;
import com.example.orders.store.SchemaCheck;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "serve",
        description = {
            "Serves the API until SIGTERM. Then it completes the open requests within DRAIN_SECONDS, and exits with 0.",
            "It starts even if the database is not available. It does not migrate the database.",
            "It becomes ready when it has connected to a database that has all migrations of this jar."
        })
final class ServeCommand implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(ServeCommand.class);

    // A caller asks for its result every few seconds. If no caller asks for a result within this
    // time, the server deletes the result.
    private static final Duration KEEP_RESULTS = Duration.ofMinutes(2);

    @ParentCommand
    private OrdersCommand parent;

    @Override
    public Integer call() throws Exception {
        Configuration configuration = parent.configuration();
        PrometheusMeterRegistry metrics = metrics();
        try (HikariDataSource requests = DataSources.pool(configuration.database(), metrics);
                Readiness readiness =
                        new Readiness(new SchemaCheck(DataSources.check(configuration.database())), metrics);
                ApiServer server = new ApiServer(
                        configuration.port(), configuration.version(), new OrderStore(requests), metrics);
                ManagementServer management = new ManagementServer(
                        configuration.managementPort(),
                        configuration.version(),
                        readiness,
                        server::isDraining,
                        metrics)) {
            // The server of the API starts before the server of the readiness check. So a pod never
            // becomes ready before the server of the API accepts requests.
            server.start();
            management.start();
            startDiagnostics(configuration);
            Runtime.getRuntime()
                    .addShutdownHook(new Thread(() -> stop(server, configuration.drain(), requests), "shutdown"));
            log.info(
                    "serving on port {}, management on port {}, version {}, content {}",
                    server.port(),
                    management.port(),
                    configuration.version(),
                    BuildInfo.contentHash());
            new CountDownLatch(1).await();
            return 0;
        }
    }

    /**
     * Starts the server for dumps of this JVM, if the configuration contains its port. The server
     * listens until the process ends.
     */
    @SuppressWarnings("resource")
    private static void startDiagnostics(Configuration configuration) throws IOException {
        if (configuration.diagnostics().isPresent()) {
            new DiagnosticsServer(configuration.diagnostics().get(), KEEP_RESULTS).start();
        }
    }

    private static void stop(ApiServer server, Duration limit, HikariDataSource pool) {
        int exitCode = 0;
        try {
            server.drain(limit);
            pool.close();
            log.info("stopped");
        } catch (Exception e) {
            log.error("could not stop cleanly", e);
            exitCode = 1;
        }
        // Without halt(), the JVM would exit with code 143 after SIGTERM, and Kubernetes would
        // count this exit as a failure.
        Runtime.getRuntime().halt(exitCode);
    }

    private static PrometheusMeterRegistry metrics() {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        // No code closes these metrics, because the server needs them until the process ends.
        @SuppressWarnings("resource")
        JvmGcMetrics collections = new JvmGcMetrics();
        collections.bindTo(registry);
        return registry;
    }
}
