package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.TestDatabase;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Sends hostile load to a service with the heap of a pod with 512 MiB, next to good requests. The
 * system property {@code load.seconds} sets the duration: {@code mvn test -Dtest=HostileLoad
 * -Dload.seconds=60}. Its name does not end with Test, so {@code npm test} does not run it: on a
 * machine with other work, more good requests fail than the limit allows.
 */
class HostileLoad {
    private static final Duration DURATION = Duration.ofSeconds(Long.getLong("load.seconds", 10));
    private static final int GOOD_PER_SECOND = 50;
    private static final int BODIES = 200;
    private static final int SLOW = 400;
    private static final int PAGES = 50;
    private static final String ORDERS =
            """
            INSERT INTO orders (id, customer, currency, status, total, created_at, updated_at)
                SELECT gen_random_uuid(), repeat('c', 200), 'EUR', 'unpaid', 500, now(), now()
                FROM generate_series(1, 200);
            INSERT INTO order_items
                SELECT id, position, repeat('s', 64), 1, 500 FROM orders, generate_series(0, 199) position;
            """;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicBoolean stop = new AtomicBoolean();
    private Client client;
    private Client management;
    private int port;

    private record Outcome(int sent, int failed) {
        double percent() {
            return 100.0 * failed / sent;
        }
    }

    private interface Step {
        void run() throws IOException, InterruptedException;
    }

    @AfterEach
    void end() {
        stop.set(true);
        threads.shutdownNow();
    }

    @Test
    void goodRequestsSucceedBesideHostileOnes() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        database.execute(ORDERS);
        port = ServiceProcess.freePort();
        Map<String, String> environment = ServiceProcess.environment(database.configuration());
        int managementPort = ServiceProcess.freePort();
        environment.put("PORT", Integer.toString(port));
        environment.put("MANAGEMENT_PORT", Integer.toString(managementPort));
        environment.put("JAVA_TOOL_OPTIONS", "-Xmx384m -XX:+ExitOnOutOfMemoryError");
        try (ServiceProcess service = ServiceProcess.start(environment, "serve")) {
            service.awaitLog("serving on port");
            client = new Client(port);
            management = new Client(managementPort);
            Outcome control = goodRequests();

            List<Future<?>> hostile = new ArrayList<>();
            String objects = "{\"items\":[{}" + ",{}".repeat(350_000) + "]}";
            for (int i = 0; i < BODIES; i++) {
                hostile.add(threads.submit(() -> repeat(() -> client.create(objects))));
            }
            for (int i = 0; i < PAGES; i++) {
                hostile.add(threads.submit(() -> repeat(() -> client.get("/orders?limit=200"))));
            }
            hostile.add(threads.submit(() -> hold("GET /orders?limit=200 HTTP/1.1\r\nHost: a\r\n\r\n", false)));
            hostile.add(
                    threads.submit(
                            () ->
                                    hold(
                                            "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                                    + "Content-Length: 100000\r\n\r\n",
                                            true)));
            Future<Integer> health = threads.submit(this::healthChecks);
            Outcome underLoad = goodRequests();
            stop.set(true);

            assertTrue(health.get() > 0);
            for (Future<?> future : hostile) {
                future.get();
            }
            assertTrue(service.isAlive());
            assertTrue(
                    underLoad.percent() <= control.percent() + 1,
                    "failed without load: " + control + ", with load: " + underLoad);
        }
    }

    /** Sends good requests at a fixed rate, and waits for their answers. */
    private Outcome goodRequests() throws Exception {
        List<Future<Boolean>> answers = new ArrayList<>();
        long start = System.nanoTime();
        for (int i = 0; i < DURATION.toSeconds() * GOOD_PER_SECOND; i++) {
            long at = start + TimeUnit.SECONDS.toNanos(i) / GOOD_PER_SECOND;
            TimeUnit.NANOSECONDS.sleep(at - System.nanoTime());
            int number = i;
            answers.add(threads.submit(() -> isGood(number)));
        }
        int failed = 0;
        for (Future<Boolean> answer : answers) {
            failed += answer.get() ? 0 : 1;
        }
        return new Outcome(answers.size(), failed);
    }

    private boolean isGood(int number) throws InterruptedException {
        try {
            return number % 2 == 0
                    ? client.create(Client.order("Ada", 1)).status() == 201
                    : client.get("/orders?limit=1").status() == 200;
        } catch (IOException e) {
            return false;
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

    private Void repeat(Step step) throws InterruptedException {
        while (!stop.get()) {
            try {
                step.run();
            } catch (IOException e) {
                // The service may end a hostile connection.
            }
        }
        return null;
    }

    /** Keeps slow connections open, and opens a new one for each that the service has closed. */
    private Void hold(String request, boolean drip) throws InterruptedException {
        List<Socket> open = new ArrayList<>();
        while (!stop.get()) {
            while (open.size() < SLOW) {
                open.add(slow(request));
            }
            open.removeIf(socket -> !isOpen(socket, drip));
            Thread.sleep(1000);
        }
        for (Socket socket : open) {
            closeQuietly(socket);
        }
        return null;
    }

    private Socket slow(String request) {
        Socket socket = new Socket();
        try {
            socket.setReceiveBufferSize(4096);
            socket.setSoTimeout(1);
            socket.connect(new InetSocketAddress("localhost", port));
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            closeQuietly(socket);
        }
        return socket;
    }

    private static boolean isOpen(Socket socket, boolean drip) {
        try {
            if (socket.isClosed()) {
                return false;
            }
            if (drip) {
                socket.getOutputStream().write('{');
                return socket.getInputStream().available() == 0;
            }
            if (socket.getInputStream().available() > 0) {
                return socket.getInputStream().read() >= 0;
            }
            return true;
        } catch (IOException e) {
            closeQuietly(socket);
            return false;
        }
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is closed anyway.
        }
    }
}
