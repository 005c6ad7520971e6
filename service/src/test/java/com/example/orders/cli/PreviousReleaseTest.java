package com.example.orders.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.PreviousRelease;
import com.example.orders.support.ServiceProcess;
import com.example.orders.support.ServiceProcess.Result;
import com.example.orders.support.TestDatabase;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Runs the previous release of the service on the newest schema of the database. During a rollout
 * and after a rollback, the previous release runs on this schema, too.
 */
class PreviousReleaseTest {
    @Test
    void previousReleaseWorksOnTheNewestSchema() throws Exception {
        if (PreviousRelease.isUnknown()) {
            System.err.println("not tested: a shallow clone does not have the previous release");
            return;
        }
        Path jar = PreviousRelease.jar(PreviousRelease.commits());
        TestDatabase database = TestDatabase.migrated();
        int port = ServiceProcess.freePort();
        Map<String, String> environment = ServiceProcess.environment(database.configuration());
        environment.put("PORT", Integer.toString(port));
        try (ServiceProcess migrate = ServiceProcess.startJar(jar, environment, "migrate")) {
            Result result = migrate.await();
            assertEquals(0, result.exitCode(), result.err());
        }
        try (ServiceProcess service = ServiceProcess.startJar(jar, environment, "serve")) {
            service.awaitLog("serving on port");
            Client client = new Client(port);
            Answer created = client.create(Client.order("Ada", 1), "Idempotency-Key", "k");
            assertEquals(201, created.status(), created.text());
            String order = created.header("Location");
            assertEquals(200, client.get(order).status());
            assertEquals(200, client.get("/orders").status());
            assertEquals(200, client.post(order + "/pay").status());
        }
        try (ServiceProcess export =
                ServiceProcess.startJar(jar, environment, "export", "--since", "1d", "--format", "json")) {
            Result result = export.await();
            assertEquals(0, result.exitCode(), result.err());
            assertEquals(1, result.out().lines().count());
        }
    }
}
