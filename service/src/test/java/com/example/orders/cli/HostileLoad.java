package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.example.orders.support.Client;
import com.example.orders.support.HostileClients;
import com.example.orders.support.MemoryLimit;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.TestDatabase;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sends hostile load and good requests to a service that has the memory and the JVM options of a
 * pod: {@code mvn test -Dtest=HostileLoad}. The name of this class does not end with Test, so
 * {@code npm test} does not run this test. The test takes three minutes. The system property
 * {@code load.rounds} sets the number of rounds. A round consists of ten seconds without hostile
 * load, and ten seconds with hostile load.
 *
 * <p>The periods alternate, so that other work on the machine affects the results of both kinds of
 * periods.
 *
 * <p>With the system property {@code load.port}, this class sends the same load to a service that
 * already runs on this port of localhost, for example behind the sandbox's ingress: see the section
 * "Memory" in the README.
 */
class HostileLoad {
    private static final long POD_MEMORY = 512 << 20;
    private static final int ROUNDS = Integer.getInteger("load.rounds", 6);
    private static final Duration PERIOD = Duration.ofSeconds(10);
    private static final Duration SETTLE = Duration.ofSeconds(5);
    private static final int GOOD_PER_SECOND = 50;
    private static final int LARGEST_PAGE = 200;
    private static final Integer GIVEN_PORT = Integer.getInteger("load.port");
    // The time is in the future, so that these orders stay on the first page.
    private static final String LARGE_ORDERS = """
            INSERT INTO orders (id, customer, currency, status, total, created_at, updated_at)
                SELECT gen_random_uuid(), repeat('c', 200), 'EUR', 'unpaid', 500,
                       now() + interval '1 day', now()
                FROM generate_series(1, 200);
            INSERT INTO order_items
                SELECT id, position, repeat('s', 64), 1, 500 FROM orders, generate_series(0, 199) position;
            """;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final Outcome control = new Outcome();
    private final Outcome underLoad = new Outcome();
    private Client client;
    private Client management;

    /**
     * Counts good requests by their results: a status with its detail, or the class of an
     * exception.
     */
    private static final class Outcome {
        private final Map<String, Integer> answers = new TreeMap<>();

        void add(String answer) {
            answers.merge(answer, 1, Integer::sum);
        }

        double percentFailed() {
            int sent = answers.values().stream().mapToInt(Integer::intValue).sum();
            int good = answers.getOrDefault("200", 0) + answers.getOrDefault("201", 0);
            return 100.0 * (sent - good) / sent;
        }

        @Override
        public String toString() {
            return "%.2f %% failed %s".formatted(percentFailed(), answers);
        }
    }

    @AfterEach
    void end() {
        stop.set(true);
        threads.shutdownNow();
    }

    /**
     * Sends hostile load to a service that already runs. This test does not check the health or the
     * restarts of that service. Check the health and the restarts yourself.
     */
    @Test
    void goodRequestsSucceedBehindAnIngress() throws Exception {
        assumeTrue(GIVEN_PORT != null, "the system property load.port is not set");
        client = new Client(GIVEN_PORT);
        for (int order = 0; order < LARGEST_PAGE; order++) {
            assertEquals(201, client.create(largestOrder()).status());
        }
        sendGood(new Outcome(), PERIOD);
        loadInRounds(GIVEN_PORT);
        String figures = figures();
        System.out.println(figures);
        assertTrue(underLoad.percentFailed() <= control.percentFailed() + 1, figures);
    }

    private static String largestOrder() {
        String item = "{\"sku\": \"%s\", \"quantity\": 1, \"unitPrice\": 500}".formatted("s".repeat(64));
        return "{\"customer\": \"%s\", \"currency\": \"EUR\", \"items\": [%s]}"
                .formatted("c".repeat(200), String.join(",", Collections.nCopies(200, item)));
    }

    @Test
    void goodRequestsSucceedBesideHostileOnes(@TempDir Path tmp) throws Exception {
        assumeTrue(GIVEN_PORT == null, "the service already runs");
        TestDatabase database = TestDatabase.migrated();
        database.execute(LARGE_ORDERS);
        int port = ServiceProcess.freePort();
        int managementPort = ServiceProcess.freePort();
        Map<String, String> environment = ServiceProcess.environment(database.configuration());
        environment.put("PORT", Integer.toString(port));
        environment.put("MANAGEMENT_PORT", Integer.toString(managementPort));
        environment.put("JAVA_TOOL_OPTIONS", System.getProperty("load.options", "-XX:MaxRAMPercentage=60"));
        try (MemoryLimit limit = podMemory();
                ServiceProcess service = ServiceProcess.startAsInImage(limit, tmp, environment, "serve")) {
            service.awaitLog("serving on port");
            client = new Client(port);
            management = new Client(managementPort);
            sendGood(new Outcome(), PERIOD);
            Future<Integer> health = threads.submit(this::healthChecks);
            loadInRounds(port);
            stop.set(true);
            if (!service.isAlive()) {
                fail("the service has ended: " + service.await());
            }
            String figures = figures();
            System.out.println(figures + "; peak of resident memory: " + service.peakMemory() + " MiB");
            assertTrue(health.get() > 0);
            assertTrue(underLoad.percentFailed() <= control.percentFailed() + 1, figures);
        }
    }

    private void loadInRounds(int port) throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            sendGood(control, PERIOD);
            Process hostile = hostileClients(port);
            try {
                sendGood(underLoad, PERIOD);
            } finally {
                hostile.destroyForcibly().waitFor();
            }
            // In this period, the service still handles requests of the killed clients, so the test
            // does not count the responses.
            sendGood(new Outcome(), SETTLE);
        }
    }

    private String figures() {
        return "without load: %s; with load: %s".formatted(control, underLoad);
    }

    private static MemoryLimit podMemory() {
        try {
            return MemoryLimit.of(POD_MEMORY);
        } catch (IOException e) {
            return abort("this process may not limit the memory of another one: " + e);
        }
    }

    private static Process hostileClients(int port) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        HostileClients.class.getName(),
                        Integer.toString(port))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Sends good requests at a fixed rate, and waits for their responses. */
    private void sendGood(Outcome outcome, Duration period) throws Exception {
        List<Future<String>> answers = new ArrayList<>();
        long start = System.nanoTime();
        for (int i = 0; i < period.toSeconds() * GOOD_PER_SECOND; i++) {
            long at = start + TimeUnit.SECONDS.toNanos(i) / GOOD_PER_SECOND;
            TimeUnit.NANOSECONDS.sleep(at - System.nanoTime());
            int number = i;
            answers.add(threads.submit(() -> good(number)));
        }
        for (Future<String> answer : answers) {
            outcome.add(answer.get());
        }
    }

    private String good(int number) throws InterruptedException {
        try {
            Client.Answer answer =
                    number % 2 == 0 ? client.create(Client.order("Ada", 1)) : client.get("/orders?limit=1");
            // The detail of an error response shows which limit of the service the load has
            // exceeded.
            return answer.status() < 300
                    ? Integer.toString(answer.status())
                    : answer.status() + ": " + answer.json().path("detail").textValue();
        } catch (IOException e) {
            return e.getClass().getSimpleName();
        }
    }

    private int healthChecks() throws Exception {
        int count = 0;
        while (!stop.get()) {
            assertEquals(200, management.get("/health/live").status());
            assertEquals(200, management.get("/health/ready").status());
            count++;
            Thread.sleep(500);
        }
        return count;
    }
}
