package com.example.orders.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.model.Order;
import com.example.orders.support.TestDatabase;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PageTest {
    @Test
    void pageHasAtMostTwoThousandItems() throws Exception {
        TestDatabase database = TestDatabase.migrated();
        database.execute("""
                INSERT INTO orders (id, customer, currency, status, total, created_at, updated_at)
                    SELECT gen_random_uuid(), 'Ada', 'EUR', 'unpaid', 500, now(), now()
                    FROM generate_series(1, 25);
                INSERT INTO order_items SELECT id, position, 'tea', 1, 500 FROM orders, generate_series(0, 199) position;
                """);
        OrderStore store = new OrderStore(DataSources.unpooled(database.configuration()));
        List<Integer> sizes = new ArrayList<>();
        HashSet<UUID> seen = new HashSet<>();
        Optional<PagePosition> after = Optional.empty();
        Page page;
        do {
            page = store.page(Optional.empty(), after, 200);
            for (Order order : page.orders()) {
                assertEquals(200, order.items().size());
                assertTrue(seen.add(order.id()));
                after = Optional.of(PagePosition.of(order));
            }
            sizes.add(page.orders().size());
            assertFalse(sizes.size() > 25);
        } while (!page.isLast());
        assertEquals(List.of(10, 10, 5), sizes);
    }
}
