package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
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

/** Tests that the health routes and the API still answer while clients block threads. */
class OverloadTest {
    private static final int LIMIT_MILLIS = 60_000;
    private static final String CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

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
            // The acceptors and selectors use threads too, so some of these tasks wait for a thread.
            await(() -> threads.getThreads() == ApiServer.THREADS && threads.getQueueSize() > 0);
            assertEquals(200, management.get("/health/live").status());
            assertEquals(200, management.get("/health/ready").status());
            assertEquals(200, management.get("/metrics").status());
        } finally {
            end.countDown();
        }
    }

    @Test
    void bodiesThatNeverComeLeaveThreadsForOthers() throws Exception {
        for (int i = 0; i < ApiServer.THREADS; i++) {
            slow("GET /nothing/here HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
        }
        await(() -> answered() >= ApiServer.THREADS - ApiServer.UNREAD_BODIES);
        assertEquals(200, client.get("/orders").status());
        assertEquals(200, management.get("/health/live").status());
        assertEquals(200, management.get("/health/ready").status());

        // The other clients do not send their bodies. A request without a body must still keep its
        // connection.
        assertFalse(exchange("GET /orders HTTP/1.1\r\nHost: a\r\n\r\n").contains("Connection: close"));
        closeSlow();
        await(
                () ->
                        !exchange("GET /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
                                .contains("Connection: close"));
    }

    @Test
    void orderRequestsBeyondThePlacesAreRefusedUntilOneEnds() throws Exception {
        byte[] body = Client.order("slow", 1).getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < ApiServer.ORDER_REQUESTS; i++) {
            Socket socket =
                    slow(
                            "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                    + "Content-Length: " + body.length + "\r\nExpect: 100-continue\r\n\r\n");
            // The interim answer shows that the handler was admitted and reads the body.
            assertEquals(CONTINUE, ascii(socket.getInputStream().readNBytes(CONTINUE.length())));
        }
        Answer refused = client.get("/orders");
        assertEquals(503, refused.status(), refused.text());
        assertEquals("application/problem+json", refused.header("Content-Type"));
        assertEquals("1", refused.header("Retry-After"));
        assertEquals(503, client.create(Client.order("one more", 1)).status());
        assertEquals(404, client.get("/nothing/here").status());
        assertEquals(200, management.get("/health/live").status());
        assertEquals(200, management.get("/health/ready").status());

        slow.get(0).getOutputStream().write(body);
        assertTrue(ascii(slow.get(0).getInputStream().readNBytes(12)).endsWith(" 201"));
        await(() -> client.get("/orders").status() == 200);
    }

    private Socket slow(String request) throws IOException {
        Socket socket = new Socket("localhost", api.port());
        slow.add(socket);
        socket.setSoTimeout(LIMIT_MILLIS);
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private int answered() throws IOException {
        int count = 0;
        for (Socket socket : slow) {
            count += socket.getInputStream().available() > 0 ? 1 : 0;
        }
        return count;
    }

    private void closeSlow() throws IOException {
        for (Socket socket : slow) {
            socket.close();
        }
        slow.clear();
    }

    /** Sends a request, and returns the head of the answer. */
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
