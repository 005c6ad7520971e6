package com.example.orders.api;

import com.example.orders.model.Order;
import com.example.orders.store.Page;
import com.example.orders.store.PagePosition;
import java.util.List;

/** One page of {@code GET /orders}. {@code next} is null on the last page. */
record OrderPage(List<Order> orders, String next) {
    static OrderPage of(Page page) {
        List<Order> orders = page.orders();
        String next = page.isLast() ? null : PageQuery.encode(PagePosition.of(orders.get(orders.size() - 1)));
        return new OrderPage(orders, next);
    }
}
