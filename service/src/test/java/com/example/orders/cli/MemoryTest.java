package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sends bodies that once used all memory to a service with the heap of a pod with 512 MiB. */
class MemoryTest {
    private static final int PARALLEL = 200;

    @ParameterizedTest
    @CsvSource({"1048576, 413", "262144, 400"})
    void bodiesOfEmptyObjectsDoNotEndTheProcess(int bytes, int status) throws Exception {
        int port = ServiceProcess.freePort();
        Map<String, String> environment =
                ServiceProcess.environment(TestDatabase.migrated().configuration());
        environment.put("PORT", Integer.toString(port));
        environment.put("JAVA_TOOL_OPTIONS", "-Xmx384m -XX:+ExitOnOutOfMemoryError");
        String start = "{\"items\":[{}";
        String end = "]}";
        String objects = ",{}".repeat((bytes - start.length() - end.length()) / 3);
        String body = start + objects + end;
        ExecutorService threads = Executors.newFixedThreadPool(PARALLEL);
        try (ServiceProcess service = ServiceProcess.start(environment, "serve")) {
            service.awaitLog("serving on port");
            Client client = new Client(port);
            List<Future<Client.Answer>> answers = new ArrayList<>();
            for (int i = 0; i < PARALLEL; i++) {
                answers.add(threads.submit(() -> client.create(body)));
            }
            for (Future<Client.Answer> answer : answers) {
                assertEquals(status, answer.get().status());
            }
            assertTrue(service.isAlive());
            assertEquals(201, client.create(Client.order("Ada", 1)).status());
        } finally {
            threads.shutdownNow();
        }
    }
}
