package com.example.orders.store;

import com.example.orders.model.Order;

/**
 * Result of a request to pay or to cancel an order.
 *
 * @param order the order as it is in the database after the request
 * @param outcome what the request did to the order
 */
public record Settled(Order order, Outcome outcome) {
    public enum Outcome {
        /** This request changed the order. */
        CHANGED,
        /** An earlier request with the same key changed the order. */
        REPLAYED,
        /**
         * The order already has the status that the request asks for. The request has no key, so it
         * does not matter which request set the status.
         */
        SAME,
        /**
         * The order has a different final status. Or this request has a key, and another request
         * has set the status.
         */
        REFUSED
    }
}
