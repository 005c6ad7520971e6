package com.example.orders.output;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.ServiceProcess;
import com.example.orders.support.ServiceProcess.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputServerTest {
    private static final int LINES = 200_000;

    private final HttpClient client = HttpClient.newHttpClient();
    private final List<Process> processes = new ArrayList<>();
    private int port;

    @TempDir
    private Path directory;

    /**
     * A command that writes lines to its output, and then runs until the test kills the command.
     */
    static final class Command {
        public static void main(String[] arguments) throws IOException, InterruptedException {
            OutputStream output = CommandOutput.open(Map.of(CommandOutput.VARIABLE, arguments[0]));
            output.write(lines());
            Thread.sleep(60_000);
        }
    }

    private static byte[] lines() throws IOException {
        var bytes = new ByteArrayOutputStream();
        for (int line = 0; line < LINES; line++) {
            bytes.write((line + "\n").getBytes());
        }
        return bytes.toByteArray();
    }

    @BeforeEach
    void choosePort() throws IOException {
        port = ServiceProcess.freePort();
    }

    @AfterEach
    void stop() {
        processes.forEach(process -> process.destroyForcibly().onExit().join());
    }

    private Process java(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        processes.add(process);
        return process;
    }

    private Process server(int keepSeconds) throws IOException {
        return java(OutputServer.class, directory.toString(), Integer.toString(port), Integer.toString(keepSeconds));
    }

    private HttpResponse<byte[]> request(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .build();
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30); ; Thread.sleep(50)) {
            try {
                return client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            } catch (IOException e) {
                if (System.nanoTime() > end) {
                    throw e;
                }
            }
        }
    }

    private static boolean complete(HttpResponse<?> answer) {
        return Boolean.parseBoolean(
                answer.headers().firstValue("Output-Complete").orElseThrow());
    }

    @Test
    void commandWritesToTheFileAndNotToItsLog() throws Exception {
        Result result = ServiceProcess.run(Map.of(CommandOutput.VARIABLE, directory.toString()), "--version");
        assertEquals(0, result.exitCode(), result.err());
        assertEquals("", result.out());
        assertTrue(Files.readString(CommandOutput.fileIn(directory)).startsWith("services-orders "));
    }

    @Test
    void outputIsCompleteWhenTheKernelHasEndedTheCommand() throws Exception {
        Process server = server(60);
        assertFalse(complete(request("/?offset=0")), "before the command starts");
        Process command = java(Command.class, directory.toString());
        byte[] all = lines();
        while (!Files.exists(CommandOutput.fileIn(directory))
                || Files.size(CommandOutput.fileIn(directory)) < all.length) {
            Thread.sleep(20);
        }
        HttpResponse<byte[]> whileItRuns = request("/?offset=0");
        assertArrayEquals(all, whileItRuns.body());
        assertFalse(complete(whileItRuns), "while the command runs");

        command.destroyForcibly().onExit().join();
        HttpResponse<byte[]> rest = request("/?offset=" + (all.length - 3));
        assertEquals(new String(all).substring(all.length - 3), new String(rest.body()));
        assertTrue(complete(rest));
        assertTrue(server.isAlive());
        assertEquals(204, request("/received").statusCode());
        assertTrue(server.waitFor(10, TimeUnit.SECONDS));
        assertEquals(0, server.exitValue());
    }

    @Test
    void serverEndsIfNobodyFetchesTheOutput() throws Exception {
        Process server = server(1);
        ServiceProcess.run(Map.of(CommandOutput.VARIABLE, directory.toString()), "--version");
        assertTrue(server.waitFor(20, TimeUnit.SECONDS));
        assertEquals(0, server.exitValue());
    }
}
