package com.example.orders.model;

import java.util.List;

/** The order that a client asks for. A new order does not have an id, a status or a time yet. */
public record NewOrder(String customer, String currency, List<OrderItem> items) {
    public NewOrder {
        items = List.copyOf(items);
    }

    /**
     * Returns the price of all items, in minor units of the currency.
     *
     * @throws ArithmeticException if the price does not fit in 64 bits
     */
    public long total() {
        long total = 0;
        for (OrderItem item : items) {
            total = Math.addExact(total, Math.multiplyExact(item.unitPrice(), (long) item.quantity()));
        }
        return total;
    }
}
