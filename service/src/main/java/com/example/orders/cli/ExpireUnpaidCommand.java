package com.example.orders.cli;

import com.example.orders.store.DataSources;
import com.example.orders.store.OrderStore;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(name = "expire-unpaid", description = "Expires orders that have been unpaid for too long.")
final class ExpireUnpaidCommand implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(ExpireUnpaidCommand.class);

    @ParentCommand
    private OrdersCommand parent;

    @Option(
            names = "--older-than",
            required = true,
            paramLabel = "DURATION",
            description = "The age at which an unpaid order expires, such as 90m, 48h or 7d.")
    private Duration olderThan;

    @Override
    public Integer call() throws Exception {
        OrderStore store =
                new OrderStore(DataSources.unpooled(parent.configuration().database()));
        long expired = store.expireUnpaid(olderThan);
        log.atInfo().addKeyValue("expired", expired).log("expired {} orders", expired);
        return 0;
    }
}
