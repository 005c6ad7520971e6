package com.example.orders;

import com.example.orders.cli.OrdersCommand;

public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        System.exit(OrdersCommand.run(System.getenv(), arguments));
    }
}
