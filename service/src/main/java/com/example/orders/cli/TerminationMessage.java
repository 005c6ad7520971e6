package com.example.orders.cli;

import com.example.orders.config.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.Set;
import org.slf4j.LoggerFactory;

/**
 * The termination message of a container. Kubernetes stores this message in the status of the pod.
 * The notifier of failed jobs may read the status, but not the log, because a log may contain data
 * of customers. So the message contains no text that may quote an order.
 */
final class TerminationMessage {
    /**
     * Default of the field {@code terminationMessagePath}. Kubernetes creates the file in each
     * container. Outside a container, the file does not exist.
     */
    static final Path FILE = Path.of("/dev/termination-log");

    // SQLSTATE classes whose messages are about the server or the login, and never about a row. 08:
    // connection. 28: authentication. 3D: no such database. 53: out of connections, memory or disk.
    // 57: the server stops, starts or cancels the statement.
    private static final Set<String> WITHOUT_ROWS = Set.of("08", "28", "3D", "53", "57");

    private TerminationMessage() {}

    /**
     * Writes the message to the file. Does nothing if this process cannot write to the file, for
     * example because the file does not exist.
     */
    static void write(Path file, String message) {
        if (!Files.isWritable(file)) {
            return;
        }
        try {
            Files.writeString(file, message, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (IOException e) {
            // The exit code and the log still show that the command failed.
            LoggerFactory.getLogger(TerminationMessage.class).warn("Cannot write {}", file, e);
        }
    }

    /**
     * Returns why the command failed. Leaves out the text of an exception that may quote an order:
     * PostgreSQL, for example, quotes the values of a row that breaks a constraint.
     *
     * @param reason the text on standard error
     */
    static String of(Exception failure, String reason) {
        if (failure instanceof ConfigurationException) {
            return reason;
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException database) {
                String state = String.valueOf(database.getSQLState());
                boolean aboutServer = state.length() == 5 && WITHOUT_ROWS.contains(state.substring(0, 2));
                return aboutServer ? reason : "the database refused a statement (SQLSTATE " + state + ")";
            }
        }
        return failure instanceof IOException ? reason : failure.getClass().getSimpleName();
    }
}
