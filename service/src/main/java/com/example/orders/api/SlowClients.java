package com.example.orders.api;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Limits the time and the memory for clients that send or read slowly. The server waits for a
 * client without a thread, but it keeps the client's body or answer in memory. It ends a wait after
 * {@link #LIMIT}. If all waiting clients together use too much memory, it ends the longest wait
 * first: a client that is not slow waits only for milliseconds.
 */
final class SlowClients {
    /**
     * Longest wait for one body or one answer. The largest body has 256 KiB and the largest answer
     * about 1 MB, so this is a minimum rate of 26 kB/s for a body, and 100 kB/s for an answer.
     */
    static final Duration LIMIT = Duration.ofSeconds(10);

    private final Set<Wait> waits = new LinkedHashSet<>();
    private final Duration limit;
    private final long maxBytes;
    private final Counter ended;
    private long bytes;

    /** @param maxBytes how much memory all waiting clients together may use */
    SlowClients(Duration limit, long maxBytes, MeterRegistry metrics) {
        this.limit = limit;
        this.maxBytes = maxBytes;
        this.ended = Counter.builder("http.server.slow.clients")
                .description("Requests that ended because the client sent or read too slowly")
                .register(metrics);
    }

    /** The wait for one client. */
    final class Wait {
        private final Runnable end;
        private Scheduler.Task timer;
        private long held;

        private Wait(Runnable end) {
            this.end = end;
        }

        /** Adds bytes that the server keeps in memory for this client. */
        void hold(int more) {
            List<Wait> longest;
            synchronized (waits) {
                if (!waits.contains(this)) {
                    return;
                }
                held += more;
                bytes += more;
                longest = overLimit();
            }
            longest.forEach(Wait::endNow);
        }

        /** @return whether the wait ends by this call, and not by an earlier call or a limit */
        boolean done() {
            synchronized (waits) {
                if (!waits.remove(this)) {
                    return false;
                }
                bytes -= held;
            }
            timer.cancel();
            return true;
        }

        private void endNow() {
            ended.increment();
            end.run();
        }

        private void timeOut() {
            if (done()) {
                endNow();
            }
        }
    }

    /** @param end ends the request of a client that is too slow */
    Wait begin(Scheduler scheduler, Runnable end) {
        Wait wait = new Wait(end);
        synchronized (waits) {
            waits.add(wait);
            wait.timer = scheduler.schedule(wait::timeOut, limit.toMillis(), TimeUnit.MILLISECONDS);
        }
        return wait;
    }

    private List<Wait> overLimit() {
        List<Wait> longest = new ArrayList<>();
        Iterator<Wait> all = waits.iterator();
        while (bytes > maxBytes && all.hasNext()) {
            Wait wait = all.next();
            all.remove();
            bytes -= wait.held;
            wait.timer.cancel();
            longest.add(wait);
        }
        return longest;
    }
}
