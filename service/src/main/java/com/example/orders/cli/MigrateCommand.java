package com.example.orders.cli;

import com.example.orders.config.Configuration;
import com.example.orders.store.DataSources;
import com.example.orders.store.Migrations;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "migrate",
        description = {
            "Applies the missing migrations up to the newest version of this jar, or up to the version in --to.",
            "You can run it again, and several of these commands can run at the same time.",
            "It waits for a database that is still starting."
        })
final class MigrateCommand implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(MigrateCommand.class);

    @ParentCommand
    private OrdersCommand parent;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--wait",
            paramLabel = "DURATION",
            description = "How long to wait for the database (default: the variable MIGRATE_WAIT, or 60s).")
    private Duration wait;

    @Option(
            names = "--to",
            paramLabel = "VERSION",
            description = "Version to stop at, such as 12 (default: the newest version of this jar).")
    private Long version;

    @Override
    public Integer call() throws Exception {
        Configuration configuration = parent.configuration();
        Migrations migrations = new Migrations(DataSources.unpooled(configuration.database()));
        migrations.awaitDatabase(wait == null ? configuration.migrateWait() : wait);
        Optional<String> to = Optional.ofNullable(version).map(String::valueOf);
        if (to.isPresent() && !migrations.has(to.get())) {
            throw new ParameterException(spec.commandLine(), "this jar has no migration with version " + to.get());
        }
        int applied = migrations.migrateTo(to);
        log.atInfo().addKeyValue("applied", applied).log("applied {} migrations", applied);
        return 0;
    }
}
