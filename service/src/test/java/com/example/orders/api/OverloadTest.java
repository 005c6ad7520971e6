package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Tests that the service still answers health requests if all threads of the API are busy, and that
 * slow clients use no threads.
 */
class OverloadTest {
    private static final int LIMIT_MILLIS = 60_000;
    // Number of clients, which is larger than the number of the server's threads.
    private static final int CLIENTS = 500;

    private final List<Socket> slow = new ArrayList<>();
    private TestApi api;
    private Client client;
    private Client management;

    @BeforeEach
    void start() throws Exception {
        api = new TestApi(TestDatabase.migrated().configuration());
        client = api.client();
        management = api.management();
    }

    @AfterEach
    void stop() throws Exception {
        closeSlow();
        api.close();
    }

    @Test
    void healthAnswersWithoutAnyThreadOfTheApi() throws Exception {
        QueuedThreadPool threads = api.server().threads;
        CountDownLatch end = new CountDownLatch(1);
        try {
            for (int i = 0; i < ApiServer.THREADS; i++) {
                threads.execute(() -> assertDoesNotThrow(() -> end.await()));
            }
            // Jetty's acceptors and selectors also use threads, so some of these tasks wait for a
            // thread.
            await(() -> threads.getThreads() == ApiServer.THREADS && threads.getQueueSize() > 0);
            assertEquals(200, management.get("/health/live").status());
            assertEquals(200, management.get("/health/ready").status());
            assertEquals(200, management.get("/metrics").status());
        } finally {
            end.countDown();
        }
    }

    @Test
    void bodiesThatNeverComeTakeNoThreads() throws Exception {
        for (int i = 0; i < CLIENTS; i++) {
            slow("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{");
        }
        assertEquals(201, client.create(Client.order("Ada", 1)).status());
        assertEquals(200, client.get("/orders").status());
        assertEquals(200, management.get("/health/live").status());
        assertEquals(200, management.get("/health/ready").status());
    }

    @Test
    void bodyThatDoesNotComeEndsWith408() throws Exception {
        String head = exchange("GET /nothing/here HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
        assertTrue(head.startsWith("HTTP/1.1 408 "), head);
        assertTrue(head.contains("Connection: close"), head);
    }

    @Test
    void unusedBodyKeepsTheConnection() throws Exception {
        String head = exchange("GET /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
        assertTrue(head.startsWith("HTTP/1.1 200 "), head);
        assertFalse(head.contains("Connection: close"), head);
    }

    private Socket slow(String request) throws IOException {
        Socket socket = new Socket("localhost", api.port());
        slow.add(socket);
        socket.setSoTimeout(LIMIT_MILLIS);
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private void closeSlow() throws IOException {
        for (Socket socket : slow) {
            socket.close();
        }
        slow.clear();
    }

    /** Sends a request, and returns the status line and the headers of the response. */
    private String exchange(String request) throws IOException {
        try (Socket socket = new Socket("localhost", api.port())) {
            socket.setSoTimeout(LIMIT_MILLIS);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                byte[] next = socket.getInputStream().readNBytes(1);
                assertEquals(1, next.length, "no whole answer: " + head);
                head.append(ascii(next));
            }
            return head.toString();
        }
    }

    private static String ascii(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIMIT_MILLIS);
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < end, "it did not come to it in time");
            Thread.sleep(20);
        }
    }
}
