package com.example.orders;

import com.example.orders.cli.OrdersCommand;
import com.example.orders.output.CommandOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws IOException {
        OutputStream output = CommandOutput.open(System.getenv());
        // Picocli prints the help to System.out.
        System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
        System.exit(OrdersCommand.run(System.getenv(), output, arguments));
    }
}
