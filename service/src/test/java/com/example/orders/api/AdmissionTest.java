package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.javalin.http.Handler;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    @Test
    void placeIsFreeAgainAfterFailure() throws Exception {
        Handler failing =
                new Admission(1)
                        .limit(
                                context -> {
                                    throw new IllegalStateException("handler");
                                });
        for (int i = 0; i < 3; i++) {
            assertEquals(
                    "handler", assertThrows(IllegalStateException.class, () -> failing.handle(null)).getMessage());
        }
    }
}
