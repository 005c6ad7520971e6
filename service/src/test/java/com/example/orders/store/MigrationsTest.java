package com.example.orders.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.example.orders.support.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class MigrationsTest {
    @Test
    void secondRunDoesNothing() throws Exception {
        Migrations migrations = new Migrations(DataSources.unpooled(TestDatabase.empty().configuration()));
        assertEquals(1, migrations.migrate());
        assertEquals(0, migrations.migrate());
    }

    @Test
    void concurrentRunsMigrateOnce() throws Exception {
        TestDatabase database = TestDatabase.empty();
        int runs = 4;
        CountDownLatch start = new CountDownLatch(1);
        ExecutorService threads = Executors.newFixedThreadPool(runs);
        List<Future<Integer>> results = new ArrayList<>();
        for (int i = 0; i < runs; i++) {
            results.add(
                    threads.submit(
                            () -> {
                                start.await();
                                return new Migrations(DataSources.unpooled(database.configuration())).migrate();
                            }));
        }
        start.countDown();
        int applied = 0;
        for (Future<Integer> result : results) {
            applied += result.get();
        }
        threads.shutdown();
        assertEquals(1, applied);
        assertEquals(0, database.number("SELECT count(*) FROM orders"));
    }
}
