package com.example.orders.diagnostics;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * The diagnostic commands of this JVM, which {@code jcmd} also uses. A JRE has the commands, but
 * not {@code jcmd}.
 */
final class VirtualMachine {
    private static final String COMMANDS = "com.sun.management:type=DiagnosticCommand";

    private VirtualMachine() {}

    /**
     * Runs a diagnostic command.
     *
     * @param operation name of the command as an MBean operation, such as {@code threadPrint}
     * @return what the command prints
     */
    static String run(String operation, String... arguments) {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        try {
            Object[] parameters = {arguments};
            String[] signature = {String[].class.getName()};
            return (String) server.invoke(new ObjectName(COMMANDS), operation, parameters, signature);
        } catch (JMException e) {
            throw new IllegalStateException("the JVM does not have the command " + operation, e);
        }
    }
}
