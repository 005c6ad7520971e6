package com.example.orders.api;

import com.example.orders.model.Order;
import com.example.orders.store.PagePosition;
import java.util.List;

/** {@code next} is null on the last page. */
record OrderPage(List<Order> orders, String next) {
    /** @param found up to one order more than the page takes, which tells whether there is a next page */
    static OrderPage of(List<Order> found, int limit) {
        if (found.size() <= limit) {
            return new OrderPage(found, null);
        }
        return new OrderPage(
                found.subList(0, limit), PageQuery.encode(PagePosition.of(found.get(limit - 1))));
    }
}
