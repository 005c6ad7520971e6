package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.ServiceProcess.Result;
import com.example.orders.support.TestDatabase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Sends request bodies with many empty objects to a service that has the heap of a pod with 512
 * MiB. In an earlier version, these requests used all memory of the service.
 */
class MemoryTest {
    private static final int PARALLEL = 200;

    @ParameterizedTest
    @CsvSource({"1048576, 413", "262144, 400"})
    void bodiesOfEmptyObjectsDoNotEndTheProcess(int bytes, int status, @TempDir Path tmp) throws Exception {
        int port = ServiceProcess.freePort();
        Map<String, String> environment =
                ServiceProcess.environment(TestDatabase.migrated().configuration());
        environment.put("PORT", Integer.toString(port));
        environment.put("JAVA_TOOL_OPTIONS", "-Xmx307m");
        String start = "{\"items\":[{}";
        String end = "]}";
        String objects = ",{}".repeat((bytes - start.length() - end.length()) / 3);
        String body = start + objects + end;
        ExecutorService threads = Executors.newFixedThreadPool(PARALLEL);
        try (ServiceProcess service = ServiceProcess.startAsInImage(tmp, environment, "serve")) {
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

    @Test
    void processWithoutMemoryEndsAndTheNextOneLogsTheClasses(@TempDir Path tmp) throws Exception {
        Map<String, String> environment =
                ServiceProcess.environment(TestDatabase.migrated().configuration());
        environment.put("PORT", "0");
        environment.put("JAVA_TOOL_OPTIONS", "-Xmx8m");
        try (ServiceProcess service = ServiceProcess.startAsInImage(tmp, environment, "serve")) {
            Result ended = service.await();
            assertEquals(3, ended.exitCode(), ended.toString());
            assertTrue(ended.out().contains("Terminating due to java.lang.OutOfMemoryError"), ended.toString());
        }
        environment.remove("JAVA_TOOL_OPTIONS");
        for (int restart = 1; restart <= 2; restart++) {
            try (ServiceProcess service = ServiceProcess.startAsInImage(tmp, environment, "migrate")) {
                Result next = service.await();
                assertEquals(0, next.exitCode(), next.toString());
                boolean isLogged = next.err().matches("(?s).*largest classes were: .*java.lang.String: \\d+ bytes, .*");
                assertEquals(restart == 1, isLogged, next.toString());
            }
        }
    }
}
