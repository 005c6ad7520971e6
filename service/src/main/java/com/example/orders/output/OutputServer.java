package com.example.orders.output;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.Executors;

/**
 * HTTP server that sends the output of a command to {@code npm run run}. The server runs in a
 * second container of the command's pod. The server listens only on the loopback address of the
 * pod. From outside the pod, only {@code kubectl port-forward} can reach this address.
 *
 * <ul>
 *   <li>{@code GET /?offset=N} answers with the bytes from position N. If the output has no such
 *       bytes yet, the server waits for at most 5 seconds. The header {@code Output-Complete} says
 *       whether these are the last bytes.
 *   <li>{@code POST /received} ends this process. {@code npm run run} sends this request when it
 *       has received the whole output.
 * </ul>
 *
 * <p>The process also ends if {@code npm run run} has not fetched the output within a certain time
 * after the end of the command. The third argument of {@link #main} sets this time.
 */
public final class OutputServer {
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofMillis(50);

    private final Path file;
    private FileChannel output;
    private FileLock lock;

    private OutputServer(Path directory) {
        file = CommandOutput.fileIn(directory);
    }

    /**
     * Starts the server.
     *
     * @param arguments directory of the output, port, and the seconds for which the server keeps
     *     the output after the end of the command
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        int port = Integer.parseInt(arguments[1]);
        Duration keep = Duration.ofSeconds(Long.parseLong(arguments[2]));
        new OutputServer(Path.of(arguments[0])).serve(port, keep);
        System.exit(0);
    }

    private void serve(int port, Duration keep) throws IOException, InterruptedException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        Thread main = Thread.currentThread();
        // A request may wait for output, or for a client that no longer reads. In the meantime, the
        // server must still answer other requests.
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", this::answer);
        server.createContext("/received", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
            main.interrupt();
        });
        server.start();
        try {
            while (!isComplete()) {
                Thread.sleep(PAUSE.toMillis());
            }
            Thread.sleep(keep.toMillis());
            System.err.println("No caller has fetched the output of the command in time");
        } catch (InterruptedException e) {
            System.err.println("The caller has the output of the command");
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            long offset = Long.parseLong(exchange.getRequestURI().getQuery().substring("offset=".length()));
            long end = System.nanoTime() + LONGEST_WAIT.toNanos();
            // First checks whether the output is complete, and then reads the size. In the reverse
            // order, the command could write its last bytes between the two steps, and the client
            // would miss these bytes.
            boolean complete = isComplete();
            long size = size();
            while (!complete && size <= offset && System.nanoTime() < end) {
                Thread.sleep(PAUSE.toMillis());
                complete = isComplete();
                size = size();
            }
            long length = Math.max(0, size - offset);
            exchange.getResponseHeaders().set("Output-Complete", Boolean.toString(complete));
            exchange.sendResponseHeaders(200, length == 0 ? -1 : length);
            if (length > 0) {
                FilePart.send(file, offset, length, exchange.getResponseBody());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long size() throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }

    /**
     * Whether the output is complete. The output is complete if the command has ended, because then
     * its process no longer holds the lock on the file.
     */
    private synchronized boolean isComplete() throws IOException {
        if (lock == null && Files.exists(file)) {
            if (output == null) {
                output = FileChannel.open(file, StandardOpenOption.READ);
            }
            lock = output.tryLock(0, Long.MAX_VALUE, true);
        }
        return lock != null;
    }
}
