package com.example.orders.store;

import com.example.orders.model.Order;
import java.util.List;

/**
 * One page of orders.
 *
 * @param isLast whether there are no orders after this page
 */
public record Page(List<Order> orders, boolean isLast) {
    /** @param found the orders of the page, and at least one more order if there is a next page */
    static Page of(List<Order> found, int limit, int maxItems) {
        int items = 0;
        int count = 0;
        for (Order order : found) {
            items += order.items().size();
            if (count == limit || items > maxItems) {
                return new Page(found.subList(0, count), false);
            }
            count++;
        }
        return new Page(found, true);
    }
}
