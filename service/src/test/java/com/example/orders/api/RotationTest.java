package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.example.orders.config.Configuration;
import com.example.orders.config.DatabaseConfiguration;
import com.example.orders.config.Environment;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotationTest {
    private static final int REQUESTS = 20;

    @Test
    void newPasswordNeedsNoRestart(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("password"), "before");
        try (TestServer server = TestServer.start(directory, "before", Map.of());
                TestApi api = new TestApi(configuration(server, file))) {
            assertEquals(200, api.client().get("/orders").status());

            server.execute("ALTER ROLE orders PASSWORD 'after'");
            Files.writeString(file, "after");
            server.dropConnections();

            // The pool does not test a connection that a request has just used. So a request can
            // get a broken connection, and the service answers with status 503.
            int last = 0;
            for (int i = 0; i < REQUESTS; i++) {
                Answer answer = api.client().get("/orders");
                last = answer.status();
                if (last == 503) {
                    assertEquals("1", answer.header("Retry-After"));
                } else {
                    assertEquals(200, last, answer.text());
                }
            }
            assertEquals(200, last);
        }
    }

    private static DatabaseConfiguration configuration(TestServer server, Path passwordFile) {
        DatabaseConfiguration fixed = server.configuration("orders", null);
        Map<String, String> variables = new HashMap<>();
        variables.put("DATABASE_HOST", fixed.host());
        variables.put("DATABASE_PORT", Integer.toString(fixed.port()));
        variables.put("DATABASE_NAME", fixed.name());
        variables.put("DATABASE_USERNAME", "orders");
        variables.put("DATABASE_PASSWORD_FILE", passwordFile.toString());
        variables.put("DATABASE_POOL_SIZE", "4");
        return Configuration.from(new Environment(variables)).database();
    }
}
