package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sends requests that no HTTP client would send. */
class BrokenHttpTest {
    private static final List<String> REQUESTS = List.of(
            "GARBAGE\r\n\r\n",
            "GET /orders HTTP/1.1\r\n\r\n",
            "GET /%%zz HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + "x".repeat(20_000) + "\r\n\r\n",
            "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
            "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\nzz\r\n");

    @Test
    void answersAreProblemsWithTheVersion() throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration())) {
            for (String request : REQUESTS) {
                String answer = send(api.port(), request);
                assertTrue(answer.startsWith("HTTP/1.1 4"), answer);
                assertTrue(answer.contains("Service-Version: test-version\r\n"), answer);
                assertTrue(answer.contains("Content-Type: application/problem+json\r\n"), answer);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "status=%zz, status",
        "after=%zz, after",
        "after=%, after",
        "limit=1%2, limit",
        "status=paid%ff, status",
        "li%zzmit=1, li%zzmit",
    })
    void brokenEncodingOfAParameterIsRefused(String query, String parameter) throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration())) {
            String answer = send(api.port(), "GET /orders?" + query + " HTTP/1.1\r\nHost: a\r\n\r\n");
            assertTrue(answer.startsWith("HTTP/1.1 400 "), answer);
            assertTrue(answer.contains("Content-Type: application/problem+json\r\n"), answer);
            assertTrue(answer.contains("\"field\":\"" + parameter + "\""), answer);
        }
    }

    @Test
    void brokenContentTypeWithoutABodyMakesNoDifference() throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration())) {
            String answer = send(
                    api.port(),
                    "GET /orders?limit=1 HTTP/1.1\r\nHost: a\r\n" + "Content-Type: application/json; charset\r\n\r\n");
            assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
        }
    }

    @Test
    void bodyThatComesLateKeepsTheConnection() throws Exception {
        try (TestApi api = new TestApi(TestDatabase.migrated().configuration());
                Socket socket = new Socket("localhost", api.port())) {
            socket.setSoTimeout(30_000);
            OutputStream out = socket.getOutputStream();
            out.write(bytes("GET /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"));
            out.flush();
            // A server that does not wait for the body would answer during this pause.
            Thread.sleep(300);
            out.write(bytes("late"));
            out.write(bytes("GET /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
            out.flush();
            String answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertEquals(2, answers.split("HTTP/1.1 200 ", -1).length - 1, answers);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String send(int port, String request) throws Exception {
        try (Socket socket = new Socket("localhost", port)) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(bytes(request));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }
}
