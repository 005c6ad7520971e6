package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.config.DatabaseConfiguration;
import com.example.orders.support.Client;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.SteadyLoad;
import com.example.orders.support.SteadyLoad.Result;
import com.example.orders.support.TestServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Stops and starts the database while a service handles requests. The system property
 * {@code outage.seconds} sets how many seconds the outage lasts:
 * {@code mvn test -Dtest=DatabaseOutageTest -Doutage.seconds=60}.
 */
class DatabaseOutageTest {
    private static final Duration OUTAGE = Duration.ofSeconds(Integer.getInteger("outage.seconds", 3));
    private static final Duration LOAD_BEFORE_AND_AFTER = Duration.ofSeconds(1);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int GOOD_IN_A_ROW = 20;

    private interface Outage {
        void run(TestServer server, Path password) throws Exception;
    }

    @Test
    void databaseThatIsAwayCosts503sUntilItIsBack(@TempDir Path directory) throws Exception {
        underLoad(directory, (server, password) -> {
            server.stop();
            Thread.sleep(OUTAGE.toMillis());
            server.comeBack();
        });
    }

    @Test
    void newPasswordCosts503sUntilTheFileHasIt(@TempDir Path directory) throws Exception {
        underLoad(directory, (server, password) -> {
            server.execute("ALTER ROLE orders PASSWORD 'after'");
            server.dropConnections();
            Thread.sleep(OUTAGE.toMillis());
            Files.writeString(password, "after");
        });
    }

    private static void underLoad(Path directory, Outage outage) throws Exception {
        Path password = Files.writeString(directory.resolve("password"), "before");
        int port = ServiceProcess.freePort();
        int managementPort = ServiceProcess.freePort();
        try (TestServer server = TestServer.start(directory, "before", Map.of());
                ServiceProcess service =
                        ServiceProcess.start(environment(server, password, port, managementPort), "serve")) {
            service.awaitLog("serving on port");
            Client client = new Client(port);
            Client management = new Client(managementPort);
            await(() -> management.get("/health/ready").status() == 200);
            try (SteadyLoad load = new SteadyLoad(client)) {
                Thread.sleep(LOAD_BEFORE_AND_AFTER.toMillis());
                long before = System.nanoTime();
                outage.run(server, password);
                assertEquals(200, management.get("/health/live").status());
                assertEquals(200, management.get("/health/ready").status());
                awaitGoodAnswers(client);
                long recovered = System.nanoTime();
                Thread.sleep(LOAD_BEFORE_AND_AFTER.toMillis());
                assertAnswers(load.stop(), before, recovered);
            }
            assertTrue(service.isAlive());
        }
    }

    private static void assertAnswers(List<Result> results, long before, long recovered) {
        int failed = 0;
        for (Result result : results) {
            String told = "after " + Duration.ofNanos(result.sentAt() - before) + ": " + result;
            assertNotNull(result.answer(), told);
            if (result.isGood()) {
                continue;
            }
            failed++;
            assertEquals(503, result.answer().status(), told + result.answer().text());
            assertEquals("1", result.answer().header("Retry-After"), told);
            assertTrue(result.sentAt() < recovered, told);
        }
        assertTrue(failed > 0, "no request failed, so the outage did not reach the service");
        System.out.printf(
                "%d of %d requests got 503; the database was away for %s%n",
                failed, results.size(), Duration.ofNanos(recovered - before));
    }

    private static void awaitGoodAnswers(Client client) throws Exception {
        int[] good = new int[1];
        await(() -> {
            good[0] = client.get("/orders?limit=1").status() == 200 ? good[0] + 1 : 0;
            return good[0] == GOOD_IN_A_ROW;
        });
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < end, "the service did not recover");
            Thread.sleep(20);
        }
    }

    private static Map<String, String> environment(TestServer server, Path password, int port, int managementPort) {
        DatabaseConfiguration database = server.configuration("orders", null);
        return Map.of(
                "PORT", Integer.toString(port),
                "MANAGEMENT_PORT", Integer.toString(managementPort),
                "DATABASE_HOST", database.host(),
                "DATABASE_PORT", Integer.toString(database.port()),
                "DATABASE_NAME", database.name(),
                "DATABASE_USERNAME", "orders",
                "DATABASE_PASSWORD_FILE", password.toString());
    }
}
