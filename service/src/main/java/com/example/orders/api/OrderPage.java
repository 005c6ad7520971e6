package com.example.orders.api;

import com.example.orders.model.Order;
import com.example.orders.store.PagePosition;
import java.util.List;

/** One page of {@code GET /orders}. {@code next} is null on the last page. */
record OrderPage(List<Order> orders, String next) {
    /** @param found the orders of the page, and one more order if there is a next page */
    static OrderPage of(List<Order> found, int limit) {
        if (found.size() <= limit) {
            return new OrderPage(found, null);
        }
        return new OrderPage(
                found.subList(0, limit), PageQuery.encode(PagePosition.of(found.get(limit - 1))));
    }
}
