package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.javalin.http.Handler;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
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

    @Test
    void requestWaitsForPlace() throws Exception {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        AtomicInteger open = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Handler handler =
                new Admission(1, Duration.ofMinutes(1))
                        .limit(
                                context -> {
                                    most.accumulateAndGet(open.incrementAndGet(), Math::max);
                                    running.countDown();
                                    end.await();
                                    open.decrementAndGet();
                                });
        FutureTask<Void> first = new FutureTask<>(call(handler));
        new Thread(first).start();
        running.await();
        FutureTask<Void> second = new FutureTask<>(call(handler));
        Thread waiting = new Thread(second);
        waiting.start();
        while (waiting.getState() != Thread.State.TIMED_WAITING && waiting.isAlive()) {
            Thread.sleep(5);
        }
        end.countDown();
        first.get();
        second.get();
        assertEquals(1, most.get());
    }

    private static Callable<Void> call(Handler handler) {
        return () -> {
            handler.handle(null);
            return null;
        };
    }
}
