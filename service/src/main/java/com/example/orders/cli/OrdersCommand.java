package com.example.orders.cli;

import com.example.orders.config.BuildInfo;
import com.example.orders.config.Configuration;
import com.example.orders.config.ConfigurationException;
import com.example.orders.config.Durations;
import com.example.orders.config.Environment;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.Map;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;

/**
 * The command line. The exit code is 0 if the command succeeded, 1 if it failed, and 2 if its
 * arguments or its configuration are wrong.
 */
@Command(
        name = "services-orders",
        description = "Serves orders over HTTP, and runs the jobs of the service.",
        mixinStandardHelpOptions = true,
        scope = CommandLine.ScopeType.INHERIT,
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed", "2:wrong arguments or configuration"},
        footer = "%nConfiguration comes from environment variables; see the README of the service.")
public final class OrdersCommand {
    private static final int FAILED = 1;
    private static final int USAGE = 2;

    private final Environment environment;

    private OrdersCommand(Environment environment) {
        this.environment = environment;
    }

    public static int run(Map<String, String> variables, OutputStream output, String... arguments) {
        FullCollections.logEarlier(Path.of(System.getProperty("java.io.tmpdir")));
        Environment environment = new Environment(variables);
        CommandLine line = new CommandLine(new OrdersCommand(environment));
        line.getCommandSpec().versionProvider(version(environment));
        line.addSubcommand(new ServeCommand())
                .addSubcommand(new MigrateCommand())
                .addSubcommand(new SeedCommand())
                .addSubcommand(new ExpireUnpaidCommand())
                .addSubcommand(new ExportCommand(output));
        line.registerConverter(Duration.class, duration());
        line.registerConverter(Since.class, Since::parse);
        line.registerConverter(DayOrInstant.class, DayOrInstant::parse);
        line.registerConverter(S3Uri.class, S3Uri::parse);
        line.registerConverter(ZoneId.class, DayOrInstant::zone);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler(OrdersCommand::reportUsage);
        line.setExecutionExceptionHandler(OrdersCommand::reportFailure);
        return line.execute(arguments);
    }

    Configuration configuration() {
        return Configuration.from(environment);
    }

    private static IVersionProvider version(Environment environment) {
        return () ->
                new String[] {"services-orders " + environment.version() + " (content " + BuildInfo.contentHash() + ")"
                };
    }

    private static ITypeConverter<Duration> duration() {
        return text -> Durations.parse(text)
                .orElseThrow(
                        () -> new TypeConversionException("'" + text + "' is not a duration such as 90m, 48h or 7d"));
    }

    private static int reportUsage(ParameterException e, String[] arguments) {
        CommandLine line = e.getCommandLine();
        String name = line.getCommandSpec().qualifiedName();
        String reason = name + ": " + e.getMessage() + " (see " + name + " --help)";
        print(line.getErr(), reason);
        TerminationMessage.write(TerminationMessage.FILE, reason);
        return USAGE;
    }

    private static int reportFailure(Exception e, CommandLine line, ParseResult parsed) {
        String name = line.getCommandSpec().qualifiedName();
        boolean wrongUse = e instanceof ConfigurationException;
        if (!wrongUse) {
            // Logs the exception at a level that is on by default, because a developer cannot
            // repeat a past run with another level.
            LoggerFactory.getLogger(OrdersCommand.class).error("{} failed", name, e);
        }
        // Prints the reason after the log, because a report about a failed pod shows the last
        // lines.
        String reason = reason(e);
        print(line.getErr(), name + ": " + reason);
        TerminationMessage.write(TerminationMessage.FILE, name + ": " + TerminationMessage.of(e, reason));
        return wrongUse ? USAGE : FAILED;
    }

    /**
     * Returns the exception's message. If this message does not contain the cause's message, the
     * cause follows in parentheses.
     */
    private static String reason(Exception e) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        Throwable cause = e.getCause();
        return cause == null || message.contains(String.valueOf(cause.getMessage()))
                ? message
                : message + " (" + cause + ")";
    }

    private static void print(PrintWriter err, String message) {
        err.println(message.strip().replaceAll("\\s+", " "));
        err.flush();
    }
}
