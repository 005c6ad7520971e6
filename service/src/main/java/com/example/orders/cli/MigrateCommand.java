package com.example.orders.cli;

import com.example.orders.config.Configuration;
import com.example.orders.store.DataSources;
import com.example.orders.store.Migrations;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "migrate",
        description = {
            "Brings the schema to the version of this jar.",
            "It may run any number of times, also at the same time; it waits for a database that still starts."
        })
final class MigrateCommand implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(MigrateCommand.class);

    @ParentCommand
    private OrdersCommand parent;

    @Option(
            names = "--wait",
            paramLabel = "DURATION",
            description = "How long to wait for the database (default: MIGRATE_WAIT, else 60s).")
    private Duration wait;

    @Override
    public Integer call() throws Exception {
        Configuration configuration = parent.configuration();
        Migrations migrations = new Migrations(DataSources.unpooled(configuration.database()));
        migrations.awaitDatabase(wait == null ? configuration.migrateWait() : wait);
        int applied = migrations.migrate();
        log.atInfo().addKeyValue("applied", applied).log("applied {} migrations", applied);
        return 0;
    }
}
