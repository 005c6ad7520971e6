package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.example.orders.support.Client;
import com.example.orders.support.Client.Answer;
import io.javalin.Javalin;
import io.javalin.http.Handler;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    @Test
    void placeIsFreeAgainAfterFailure() throws Exception {
        Handler failing = new Admission(1).limit(context -> {
            throw new IllegalStateException("handler");
        });
        for (int i = 0; i < 3; i++) {
            assertEquals(
                    "handler",
                    assertThrows(IllegalStateException.class, () -> failing.handle(null))
                            .getMessage());
        }
    }

    @Test
    void requestAboveTheLimitIsRefusedAtOnce() throws Exception {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Admission admission = new Admission(1);
        Javalin javalin = Javalin.create(config -> {
            ErrorAnswers.register(config);
            config.routes.get("/slow", admission.limit(context -> {
                running.countDown();
                end.await();
            }));
            config.routes.get("/other", admission.limit(context -> {}));
        });
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Client client = new Client(javalin.start(0).port());
            Future<Answer> slow = thread.submit(() -> client.get("/slow"));
            running.await();
            Answer refused = client.get("/other");
            assertEquals(503, refused.status(), refused.text());
            assertEquals("1", refused.header("Retry-After"));
            assertEquals("application/problem+json", refused.header("Content-Type"));
            end.countDown();
            assertEquals(200, slow.get().status());
            assertEquals(200, client.get("/other").status());
        } finally {
            end.countDown();
            thread.shutdownNow();
            javalin.stop();
        }
    }
}
