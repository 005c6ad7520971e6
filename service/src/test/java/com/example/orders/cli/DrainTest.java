package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.TestDatabase;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DrainTest {
    @Test
    void openRequestIsAnsweredAfterSigterm() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        int port = ServiceProcess.freePort();
        int managementPort = ServiceProcess.freePort();
        Map<String, String> environment = ServiceProcess.environment(database.configuration());
        environment.put("PORT", Integer.toString(port));
        environment.put("MANAGEMENT_PORT", Integer.toString(managementPort));
        environment.put("DRAIN_SECONDS", "60");
        byte[] body = Client.order("slow", 1).getBytes(StandardCharsets.UTF_8);
        try (ServiceProcess service = ServiceProcess.start(environment, "serve")) {
            service.awaitLog("serving on port");
            Client client = new Client(port);
            Client management = new Client(managementPort);
            assertEquals(200, management.get("/health/ready").status());

            try (Socket slow = new Socket("localhost", port)) {
                slow.setSoTimeout(60_000);
                OutputStream out = slow.getOutputStream();
                out.write(("POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                + "Content-Length: " + body.length + "\r\nExpect: 100-continue\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
                // The response 100 (Continue) shows that the service has begun to read the body of
                // this request.
                String interim = new String(slow.getInputStream().readNBytes(25), StandardCharsets.US_ASCII);
                assertEquals("HTTP/1.1 100 Continue\r\n\r\n", interim);

                service.terminate();
                service.awaitLog("draining");

                // The server still listens while the request is open. Every response during the
                // drain asks the client to close the connection.
                assertEquals(503, management.get("/health/ready").status());
                assertEquals(200, management.get("/health/live").status());
                Answer accepted = client.create(Client.order("during the drain", 1));
                assertEquals(201, accepted.status());
                assertEquals("close", accepted.header("Connection"));
                assertTrue(service.isAlive());

                out.write(body);
                out.flush();
                String answer = new String(slow.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertTrue(answer.startsWith("HTTP/1.1 201 "), answer);
                assertTrue(answer.contains("\r\nConnection: close\r\n"), answer);
            }
            ServiceProcess.Result result = service.await();
            assertEquals(0, result.exitCode(), result.err());
            assertTrue(result.err().contains("\"message\":\"stopped\""), result.err());
            assertEquals(2, database.number("SELECT count(*) FROM orders"));
        }
    }

    @Test
    void requestBeyondTheLimitIsCutOff() throws Exception {
        int port = ServiceProcess.freePort();
        Map<String, String> environment =
                ServiceProcess.environment(TestDatabase.migrated().configuration());
        environment.put("PORT", Integer.toString(port));
        environment.put("DRAIN_SECONDS", "1");
        try (ServiceProcess service = ServiceProcess.start(environment, "serve")) {
            service.awaitLog("serving on port");
            try (Socket slow = new Socket("localhost", port)) {
                slow.getOutputStream()
                        .write(
                                "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
                                        .getBytes(StandardCharsets.US_ASCII));
                slow.getInputStream().readNBytes(25);
                service.terminate();
                ServiceProcess.Result result = service.await();
                assertEquals(0, result.exitCode(), result.err());
                assertTrue(result.err().contains("1 requests are cut off"), result.err());
            }
        }
    }
}
