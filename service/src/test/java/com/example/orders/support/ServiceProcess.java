package com.example.orders.support;

import com.example.orders.Main;
import com.example.orders.config.DatabaseConfiguration;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Runs the service in a separate process, with the class path of the tests and the log format of
 * production.
 */
public final class ServiceProcess implements AutoCloseable {
    private static final long LIMIT_SECONDS = 60;
    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();

    private final Process process;
    private final Path directory;

    public record Result(int exitCode, String out, String err) {}

    private ServiceProcess(Path directory, List<String> command, Map<String, String> environment) throws IOException {
        this.directory = directory;
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(directory.resolve("out").toFile())
                .redirectError(directory.resolve("err").toFile());
        // Keeps only the variables that the JVM needs, so that a variable of the developer's shell
        // cannot change a test.
        builder.environment().keySet().retainAll(List.of("PATH", "LANG", "LC_ALL"));
        builder.environment().putAll(environment);
        process = builder.start();
    }

    public static Map<String, String> environment(DatabaseConfiguration database) {
        return new HashMap<>(Map.of(
                // 0 means any free port. A test that sends requests to the management port replaces
                // this value.
                "MANAGEMENT_PORT", "0",
                "DATABASE_HOST", database.host(),
                "DATABASE_PORT", Integer.toString(database.port()),
                "DATABASE_NAME", database.name(),
                "DATABASE_USERNAME", database.username().value(),
                "DATABASE_PASSWORD", database.password().value()));
    }

    public static ServiceProcess start(Map<String, String> environment, String... arguments) throws IOException {
        List<String> command = java(List.of("-XX:TieredStopAtLevel=1"), arguments);
        return new ServiceProcess(temporaryDirectory(), command, environment);
    }

    /**
     * Starts the service with the JVM options of the image.
     *
     * @param tmp replaces {@code /tmp} of the container
     */
    public static ServiceProcess startAsInImage(Path tmp, Map<String, String> environment, String... arguments)
            throws IOException {
        return new ServiceProcess(temporaryDirectory(), java(Image.jvmOptions(tmp), arguments), environment);
    }

    /** Starts the service in a cgroup, and with the JVM options of the image. */
    public static ServiceProcess startAsInImage(
            MemoryLimit limit, Path tmp, Map<String, String> environment, String... arguments) throws IOException {
        List<String> command = limit.wrap(java(Image.jvmOptions(tmp), arguments));
        return new ServiceProcess(temporaryDirectory(), command, environment);
    }

    /** Starts another release of the service. */
    public static ServiceProcess startJar(Path jar, Map<String, String> environment, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(JAVA, "-XX:TieredStopAtLevel=1", "-jar", jar.toString()));
        command.addAll(List.of(arguments));
        return new ServiceProcess(temporaryDirectory(), command, environment);
    }

    private static Path temporaryDirectory() throws IOException {
        return Files.createTempDirectory("services-orders-test");
    }

    private static List<String> java(List<String> options, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(JAVA);
        command.addAll(options);
        command.add("-Dlogback.configurationFile=logback.xml");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    public static Result run(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        try (ServiceProcess service = start(environment, arguments)) {
            return service.await();
        }
    }

    public static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Sends SIGTERM to the process. */
    public void terminate() {
        process.destroy();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Returns the largest resident memory that the process has had, in MiB. Linux only. */
    public long peakMemory() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
            }
        }
        throw new IOException("the kernel does not say how much memory the process has used");
    }

    public Result await() throws IOException, InterruptedException {
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("the process did not end: " + read("err"));
        }
        return new Result(process.exitValue(), read("out"), read("err"));
    }

    /** Waits until a line of the log contains {@code part}. */
    public void awaitLog(String part) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!read("err").contains(part)) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new AssertionError("no log line with \"" + part + "\": " + read("err"));
            }
            Thread.sleep(20);
        }
    }

    private String read(String file) throws IOException {
        return Files.readString(directory.resolve(file), StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly().onExit().join();
        Files.deleteIfExists(directory.resolve("out"));
        Files.deleteIfExists(directory.resolve("err"));
        Files.deleteIfExists(directory);
    }
}
