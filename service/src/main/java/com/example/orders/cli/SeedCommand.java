package com.example.orders.cli;

import com.example.orders.model.Order;
import com.example.orders.store.DataSources;
import com.example.orders.store.OrderStore;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(name = "seed", description = "Adds invented orders of the last seven days, for tests and demonstrations.")
final class SeedCommand implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(SeedCommand.class);
    private static final int MAX_COUNT = 1_000_000;
    private static final int BATCH = 500;

    @ParentCommand
    private OrdersCommand parent;

    @Spec
    private CommandSpec spec;

    @Option(names = "--count", required = true, paramLabel = "N", description = "How many orders: 1 to 1000000.")
    private int count;

    @Option(names = "--if-empty", description = "Does nothing if the database already has orders.")
    private boolean ifEmpty;

    @Override
    public Integer call() throws Exception {
        if (count < 1 || count > MAX_COUNT) {
            throw new ParameterException(spec.commandLine(), "--count must be from 1 to " + MAX_COUNT);
        }
        OrderStore store =
                new OrderStore(DataSources.unpooled(parent.configuration().database()));
        if (ifEmpty && !store.isEmpty()) {
            log.info("the database already has orders, so this command adds no orders");
            return 0;
        }
        SampleOrders samples = new SampleOrders();
        for (int done = 0; done < count; done += BATCH) {
            List<Order> batch = Stream.generate(samples::next)
                    .limit(Math.min(BATCH, count - done))
                    .toList();
            store.insertAll(batch);
        }
        log.atInfo().addKeyValue("seeded", count).log("seeded {} orders", count);
        return 0;
    }
}
