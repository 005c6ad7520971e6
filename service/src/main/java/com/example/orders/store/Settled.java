package com.example.orders.store;

import com.example.orders.model.Order;

/**
 * What a request to pay or to cancel led to.
 *
 * @param order as it is in the database now
 * @param outcome what the request did to it
 */
public record Settled(Order order, Outcome outcome) {
    public enum Outcome {
        /** This request changed the order. */
        CHANGED,
        /** An earlier request with the same key did. */
        REPLAYED,
        /** The order has the status that the request asks for; which request set it does not matter. */
        SAME,
        /** Another request, or the order's age, decided otherwise. */
        REFUSED
    }
}
