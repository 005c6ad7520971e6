package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PageAdmissionTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void smallestPageIsNextAndEqualPagesKeepTheirSequence() throws Exception {
        PageAdmission pages = new PageAdmission(1, 10, LONG);
        assertTrue(pages.enter(200));
        Future<Boolean> large = waits(pages, 200, 1);
        Future<Boolean> small = waits(pages, 1, 2);
        Future<Boolean> another = waits(pages, 1, 3);
        pages.leave();
        assertTrue(soon(small));
        assertEquals(2, pages.waiting());
        assertFalse(another.isDone());
        pages.leave();
        assertTrue(soon(another));
        assertFalse(large.isDone());
        pages.leave();
        assertTrue(soon(large));
    }

    @Test
    void largestPageIsRefusedIfTooManyWait() throws Exception {
        PageAdmission pages = new PageAdmission(1, 2, LONG);
        assertTrue(pages.enter(200));
        Future<Boolean> first = waits(pages, 200, 1);
        Future<Boolean> second = waits(pages, 200, 2);
        assertFalse(pages.enter(200));
        Future<Boolean> small = threads.submit(() -> pages.enter(1));
        assertFalse(soon(second));
        pages.leave();
        assertTrue(soon(small));
        assertFalse(first.isDone());
    }

    @Test
    void placeIsRefusedAfterTheWaitAndThenFree() throws Exception {
        PageAdmission pages = new PageAdmission(1, 10, Duration.ofMillis(10));
        assertTrue(pages.enter(1));
        assertFalse(pages.enter(1));
        assertEquals(0, pages.waiting());
        pages.leave();
        assertTrue(pages.enter(1));
        assertFalse(pages.enter(1));
    }

    private static boolean soon(Future<Boolean> entered) throws Exception {
        return entered.get(10, TimeUnit.SECONDS);
    }

    /** Starts a thread that waits for a place. Returns when {@code waiting} threads wait. */
    private Future<Boolean> waits(PageAdmission pages, int orders, int waiting) throws Exception {
        Future<Boolean> entered = threads.submit(() -> pages.enter(orders));
        while (pages.waiting() < waiting && !entered.isDone()) {
            Thread.sleep(5);
        }
        return entered;
    }
}
