package com.example.orders.cli;

import com.example.orders.model.NewOrder;
import com.example.orders.model.Order;
import com.example.orders.model.OrderItem;
import com.example.orders.model.OrderStatus;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;

/**
 * Creates sample orders of all statuses. Some customer names need escaping in CSV files and in
 * browsers.
 */
final class SampleOrders {
    private static final List<String> CUSTOMERS =
            List.of("Ada Lovelace", "Müller, Schmidt & Co", "The \"Best\" Shop", "山田太郎", "O'Brien <sons>");
    private static final List<String> CURRENCIES = List.of("EUR", "USD", "GBP", "JPY");
    private static final Duration AGE = Duration.ofDays(7);

    private final Random random = new Random();

    Order next() {
        NewOrder order = new NewOrder(any(CUSTOMERS), any(CURRENCIES), items());
        Instant createdAt =
                Instant.now().minusSeconds(random.nextLong(AGE.toSeconds())).truncatedTo(ChronoUnit.MICROS);
        return new Order(
                UUID.randomUUID(),
                order.customer(),
                order.currency(),
                any(List.of(OrderStatus.values())),
                order.total(),
                order.items(),
                createdAt,
                createdAt);
    }

    private List<OrderItem> items() {
        return IntStream.rangeClosed(1, random.nextInt(1, 5))
                .mapToObj(number -> new OrderItem(
                        "SKU-" + random.nextInt(1000, 10_000), random.nextInt(1, 6), random.nextLong(100, 20_000)))
                .toList();
    }

    private <T> T any(List<T> values) {
        return values.get(random.nextInt(values.size()));
    }
}
