package com.example.orders.diagnostics;

import com.example.orders.config.DiagnosticsConfiguration;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * HTTP server that sends thread dumps, heap dumps and flight recordings of this JVM to {@code npm
 * run debug}. The server listens only on the loopback address of the pod. From outside the pod,
 * only {@code kubectl port-forward} can reach this address.
 *
 * <ul>
 *   <li>{@code POST /threads} answers with a thread dump.
 *   <li>{@code POST /heap} writes a heap dump to a file, and answers with the id of the result.
 *   <li>{@code POST /jfr?seconds=N} starts a flight recording, and answers with the id.
 *   <li>{@code GET /results/ID/?offset=N} answers with the bytes from position N. If the result is
 *       not complete yet, the server waits for at most 5 seconds. If the result is not complete
 *       after 5 seconds, the response has no bytes. The header {@code Output-Complete} says whether
 *       these are the last bytes.
 *   <li>{@code POST /results/ID/received} deletes the result.
 * </ul>
 *
 * <p>There is at most one result. If no caller has asked for the result within two minutes, the
 * server deletes the result. An error is one line of text, with a status such as 409 if there is
 * already a result, 410 if the result does not exist, or 507 if there is no space for a file.
 */
public final class DiagnosticsServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DiagnosticsServer.class);
    private static final Pattern RESULT = Pattern.compile("/results/([0-9a-f-]+)/(received)?");
    private static final Pattern NUMBER = Pattern.compile("(?:offset|seconds)=([0-9]{1,15})");
    private static final long MOST_SECONDS = 600;
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);
    private static final Duration SWEEP = Duration.ofSeconds(5);
    // The server refuses a request without this header. If an attacker makes the service send a
    // request to this server, the attacker usually cannot set a header of the request.
    private static final String CALLER = "Requested-By";

    private final HttpServer server;
    private final Results results;
    private final ScheduledExecutorService timer;

    /**
     * @param keep how long the server keeps a result that no caller asks for
     * @throws IOException if the port is not free, or if the directory cannot be read
     */
    public DiagnosticsServer(DiagnosticsConfiguration configuration, Duration keep) throws IOException {
        this(configuration, keep, Space::freeBytes);
    }

    DiagnosticsServer(DiagnosticsConfiguration configuration, Duration keep, Space.Disk disk) throws IOException {
        results = new Results(configuration, keep, disk);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), configuration.port()), 0);
        server.setExecutor(Executors.newCachedThreadPool(daemons("diagnostics")));
        timer = Executors.newSingleThreadScheduledExecutor(daemons("diagnostics-timer"));
        server.createContext("/threads", answering("thread dump", this::threads));
        server.createContext("/heap", answering("heap dump", this::heap));
        server.createContext("/jfr", answering("flight recording", this::record));
        server.createContext("/results/", answering(null, this::result));
    }

    public void start() {
        server.start();
        timer.scheduleWithFixedDelay(results::sweep, SWEEP.toMillis(), SWEEP.toMillis(), TimeUnit.MILLISECONDS);
    }

    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        timer.shutdownNow();
        results.clear();
    }

    private static ThreadFactory daemons(String name) {
        return work -> {
            Thread thread = new Thread(work, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    private interface Answer {
        void to(HttpExchange exchange) throws IOException, InterruptedException, Refusal;
    }

    /**
     * Returns a handler that runs {@code answer}. If {@code answer} throws a Refusal or a
     * RuntimeException, the handler sends the message of this exception to the caller.
     *
     * @param logged what the caller asks for, as a text for the log. If null, the log gets no line.
     */
    private static HttpHandler answering(String logged, Answer answer) {
        return exchange -> {
            try (exchange) {
                answerOrRefuse(exchange, logged, answer);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
    }

    private static void answerOrRefuse(HttpExchange exchange, String logged, Answer answer)
            throws IOException, InterruptedException {
        try {
            String caller = exchange.getRequestHeaders().getFirst(CALLER);
            if (caller == null) {
                throw new Refusal(403, "the header " + CALLER + " is missing");
            }
            if (logged != null) {
                log.info("diagnostics: {}, requested by {}", logged, caller);
            }
            answer.to(exchange);
        } catch (Refusal e) {
            send(exchange, e.status(), e.getMessage());
        } catch (RuntimeException e) {
            log.warn("diagnostics failed", e);
            send(exchange, 500, "the service failed: " + e.getMessage());
        }
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private static void requirePost(HttpExchange exchange) throws Refusal {
        if (!exchange.getRequestMethod().equals("POST")) {
            throw new Refusal(405, "the method must be POST");
        }
    }

    private void threads(HttpExchange exchange) throws IOException, Refusal {
        requirePost(exchange);
        send(exchange, 200, VirtualMachine.run("threadPrint", "-l"));
    }

    private void heap(HttpExchange exchange) throws IOException, Refusal {
        requirePost(exchange);
        send(exchange, 200, results.dumpHeap());
    }

    private void record(HttpExchange exchange) throws IOException, Refusal {
        requirePost(exchange);
        long seconds = number(exchange);
        if (seconds < 1 || seconds > MOST_SECONDS) {
            throw new Refusal(400, "seconds must be from 1 to " + MOST_SECONDS);
        }
        send(exchange, 200, results.record(Duration.ofSeconds(seconds), timer));
    }

    private void result(HttpExchange exchange) throws IOException, InterruptedException, Refusal {
        Matcher path = RESULT.matcher(exchange.getRequestURI().getPath());
        if (!path.matches()) {
            throw new Refusal(404, "there is no such path");
        }
        String id = path.group(1);
        if (path.group(2) != null) {
            requirePost(exchange);
            results.delete(id);
            exchange.sendResponseHeaders(204, -1);
            return;
        }
        long offset = number(exchange);
        boolean complete = results.awaitComplete(id, LONGEST_WAIT);
        long length = complete ? Math.max(0, results.size(id) - offset) : 0;
        exchange.getResponseHeaders().set("Output-Complete", Boolean.toString(complete));
        exchange.sendResponseHeaders(200, length == 0 ? -1 : length);
        if (length > 0) {
            results.send(id, offset, length, exchange.getResponseBody());
        }
    }

    private static long number(HttpExchange exchange) throws Refusal {
        String query = exchange.getRequestURI().getQuery();
        Matcher number = NUMBER.matcher(query == null ? "" : query);
        if (!number.matches()) {
            throw new Refusal(400, "the number in the query is missing");
        }
        return Long.parseLong(number.group(1));
    }
}
