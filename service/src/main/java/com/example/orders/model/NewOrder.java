package com.example.orders.model;

import java.util.List;

/** An order as a customer asks for it: it has no identity, status or time yet. */
public record NewOrder(String customer, String currency, List<OrderItem> items) {
    public NewOrder {
        items = List.copyOf(items);
    }

    /**
     * The price of all items in minor units.
     *
     * @throws ArithmeticException if it does not fit in 64 bits
     */
    public long total() {
        long total = 0;
        for (OrderItem item : items) {
            total = Math.addExact(total, Math.multiplyExact(item.unitPrice(), (long) item.quantity()));
        }
        return total;
    }
}
