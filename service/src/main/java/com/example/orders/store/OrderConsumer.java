package com.example.orders.store;

import com.example.orders.model.Order;
import java.io.IOException;

@FunctionalInterface
public interface OrderConsumer {
    void accept(Order order) throws IOException;
}
