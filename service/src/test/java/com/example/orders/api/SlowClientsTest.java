package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SlowClientsTest {
    private final ScheduledExecutorScheduler scheduler = new ScheduledExecutorScheduler();
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();

    @BeforeEach
    void start() throws Exception {
        scheduler.start();
    }

    @AfterEach
    void stop() throws Exception {
        scheduler.stop();
    }

    @Test
    void longestWaitEndsFirstWhenMemoryIsUsedUp() {
        SlowClients clients = new SlowClients(Duration.ofHours(1), 100, metrics);
        List<String> ended = new ArrayList<>();
        SlowClients.Wait first = clients.begin(scheduler, () -> ended.add("first"));
        SlowClients.Wait second = clients.begin(scheduler, () -> ended.add("second"));
        SlowClients.Wait third = clients.begin(scheduler, () -> ended.add("third"));
        first.hold(40);
        second.hold(40);
        third.hold(20);
        assertEquals(List.of(), ended);
        third.hold(1);
        assertEquals(List.of("first"), ended);
        assertFalse(first.done());
        // The limit does not count the bytes of a wait that has ended.
        assertTrue(second.done());
        third.hold(79);
        assertTrue(third.done());
        assertEquals(List.of("first"), ended);
        assertEquals(1, metrics.get("http.server.slow.clients").counter().count());
    }

    @Test
    void waitEndsAfterTheLimit() throws Exception {
        SlowClients clients = new SlowClients(Duration.ofMillis(1), 100, metrics);
        CountDownLatch ended = new CountDownLatch(1);
        SlowClients.Wait wait = clients.begin(scheduler, ended::countDown);
        ended.await();
        assertFalse(wait.done());
    }
}
