package com.example.orders.diagnostics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.config.DiagnosticsConfiguration;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiagnosticsServerTest {
    private static final long LARGE = 1L << 40;

    private final HttpClient client = HttpClient.newHttpClient();
    private DiagnosticsServer server;

    @TempDir
    private Path directory;

    @AfterEach
    void stop() {
        if (server != null) {
            server.close();
        }
    }

    private void start(long volumeBytes, long podBytes, Duration keep) throws IOException {
        start(volumeBytes, podBytes, keep, LARGE);
    }

    private void start(long volumeBytes, long podBytes, Duration keep, long diskBytes) throws IOException {
        DiagnosticsConfiguration configuration = new DiagnosticsConfiguration(0, directory, volumeBytes, podBytes);
        server = new DiagnosticsServer(configuration, keep, path -> diskBytes);
        server.start();
    }

    private void start() throws IOException {
        start(LARGE, LARGE, Duration.ofMinutes(2));
    }

    private HttpResponse<byte[]> send(String method, String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .method(method, HttpRequest.BodyPublishers.noBody());
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private HttpResponse<byte[]> ask(String method, String path) throws Exception {
        return send(method, path, "Requested-By", "ada");
    }

    private static String text(HttpResponse<byte[]> answer) {
        return new String(answer.body(), StandardCharsets.UTF_8);
    }

    /** Returns the whole result. */
    private byte[] result(String id) throws Exception {
        for (int tries = 0; tries < 10; tries++) {
            HttpResponse<byte[]> answer = ask("GET", "/results/" + id + "/?offset=0");
            assertEquals(200, answer.statusCode(), text(answer));
            if (answer.headers().firstValue("Output-Complete").orElseThrow().equals("true")) {
                return answer.body();
            }
        }
        throw new AssertionError("the result is not complete");
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void threadDumpHasTheNamesOfThreads() throws Exception {
        start();
        Thread waiting = new Thread(
                () -> {
                    try {
                        Thread.sleep(60_000);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "a-known-thread");
        waiting.start();
        while (waiting.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(10);
        }
        String dump = text(ask("POST", "/threads"));
        waiting.interrupt();
        assertTrue(dump.contains("\"a-known-thread\""), dump);
        assertTrue(dump.contains("java.lang.Thread.sleep"), dump);
    }

    @Test
    void heapDumpIsCompleteAndNotLargerThanExpected() throws Exception {
        start();
        byte[] known = "a customer whose name is in the heap".getBytes(StandardCharsets.US_ASCII);
        long most = HeapDump.largestSize();
        String id = text(ask("POST", "/heap"));
        byte[] dump = result(id);
        assertTrue(new String(dump, 0, 12, StandardCharsets.US_ASCII).startsWith("JAVA PROFILE"));
        assertTrue(dump.length <= most, dump.length + " > " + most);
        assertTrue(
                new String(dump, StandardCharsets.ISO_8859_1).contains(new String(known, StandardCharsets.US_ASCII)));
        HttpResponse<byte[]> rest = ask("GET", "/results/" + id + "/?offset=" + (dump.length - 3));
        assertArrayEquals(Arrays.copyOfRange(dump, dump.length - 3, dump.length), rest.body());

        assertEquals(204, ask("POST", "/results/" + id + "/received").statusCode());
        assertEquals(List.of(), files());
        assertEquals(410, ask("GET", "/results/" + id + "/?offset=0").statusCode());
    }

    @Test
    void heapDumpWithoutSpaceIsRefusedInOneLineBeforeItIsWritten() throws Exception {
        start(1 << 20, LARGE, Duration.ofMinutes(2));
        HttpResponse<byte[]> volume = ask("POST", "/heap");
        assertEquals(507, volume.statusCode());
        assertTrue(
                text(volume).matches("a heap dump may need \\d+ MiB, and the volume for .* 1 MiB: .*"), text(volume));
        server.close();

        start(LARGE, 300L << 20, Duration.ofMinutes(2));
        HttpResponse<byte[]> pod = ask("POST", "/jfr?seconds=1");
        assertEquals(507, pod.statusCode());
        assertTrue(text(pod).contains("limit for ephemeral-storage, 58 MiB are left"), text(pod));
        server.close();

        start(LARGE, LARGE, Duration.ofMinutes(2), 1 << 20);
        HttpResponse<byte[]> node = ask("POST", "/heap");
        assertEquals(507, node.statusCode());
        assertTrue(text(node).contains("the disk of the node has 1 MiB until"), text(node));
        assertEquals(List.of(), files());
    }

    @Test
    void partOfTheDiskStaysFree() throws Exception {
        FileStore disk = Files.getFileStore(directory);
        double free = disk.getUsableSpace() - 0.15 * disk.getTotalSpace();
        assertEquals(free, Space.freeBytes(directory), 0.01 * disk.getTotalSpace());
    }

    @Test
    void flightRecordingHasEventsAndNoVariables() throws Exception {
        start();
        String id = text(ask("POST", "/jfr?seconds=2"));
        assertEquals(409, ask("POST", "/heap").statusCode());
        byte[] recording = result(id);
        assertEquals("FLR\0", new String(recording, 0, 4, StandardCharsets.US_ASCII));
        Path copy = Files.createTempFile("recording", ".jfr");
        try {
            Files.write(copy, recording);
            List<String> types = RecordingFile.readAllEvents(copy).stream()
                    .map(RecordedEvent::getEventType)
                    .map(jdk.jfr.EventType::getName)
                    .distinct()
                    .toList();
            assertTrue(types.contains("jdk.CPULoad"), types.toString());
            assertFalse(types.contains("jdk.InitialEnvironmentVariable"), types.toString());
            assertFalse(types.contains("jdk.InitialSystemProperty"), types.toString());
        } finally {
            Files.delete(copy);
        }
        assertEquals(204, ask("POST", "/results/" + id + "/received").statusCode());
        assertEquals(List.of(), files());
    }

    @Test
    void resultThatNobodyAsksForIsDeleted() throws Exception {
        start(LARGE, LARGE, Duration.ofMillis(100));
        String id = text(ask("POST", "/jfr?seconds=600"));
        Thread.sleep(200);
        // Another caller does not have to wait for the next sweep.
        String next = text(ask("POST", "/jfr?seconds=600"));
        assertEquals(410, ask("GET", "/results/" + id + "/?offset=0").statusCode());
        assertEquals(204, ask("POST", "/results/" + next + "/received").statusCode());
        assertEquals(List.of(), files());
    }

    @Test
    void filesOfAnEarlierProcessAreDeleted() throws Exception {
        Files.writeString(directory.resolve("left.hprof"), "data of customers");
        Files.createDirectory(directory.resolve("events"));
        Files.writeString(directory.resolve("events").resolve("left.part"), "events");
        start();
        assertEquals(List.of(), files());
    }

    @Test
    void answersOnlyCallersOnTheLoopbackAddressWithTheirName() throws Exception {
        start();
        assertEquals(403, send("POST", "/threads").statusCode());
        assertEquals(403, send("POST", "/heap").statusCode());
        assertEquals(405, ask("GET", "/threads").statusCode());
        assertEquals(400, ask("POST", "/jfr?seconds=601").statusCode());
        assertEquals(404, ask("GET", "/results/../heap").statusCode());
        for (NetworkInterface card : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            for (InetAddress address : Collections.list(card.getInetAddresses())) {
                if (!address.isLoopbackAddress()) {
                    assertFalse(listens(address), address.toString());
                }
            }
        }
    }

    private boolean listens(InetAddress address) {
        try (Socket socket = new Socket(address, server.port())) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }
}
