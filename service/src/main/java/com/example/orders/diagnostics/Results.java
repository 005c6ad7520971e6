package com.example.orders.diagnostics;

import com.example.orders.config.DiagnosticsConfiguration;
import com.example.orders.output.FilePart;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one result of {@link DiagnosticsServer}, as a file. A heap dump contains data of customers,
 * so the file exists only until the caller has received the file, or no longer asks for the file.
 */
final class Results {
    private static final Logger log = LoggerFactory.getLogger(Results.class);

    private final DiagnosticsConfiguration configuration;
    private final Duration keep;
    private final Space space;
    private Result current;

    private static final class Result {
        final String id = UUID.randomUUID().toString();
        final Path file;
        FlightRecording recording;
        boolean complete;
        String failure;
        long touched = System.nanoTime();

        Result(Path directory, String suffix) {
            file = directory.resolve(id + suffix);
        }
    }

    Results(DiagnosticsConfiguration configuration, Duration keep, Space.Disk disk) throws IOException {
        this.configuration = configuration;
        this.keep = keep;
        space = new Space(configuration, disk);
        deleteEarlier();
    }

    /** Deletes the files of an earlier process. A volume survives the restart of its container. */
    private void deleteEarlier() throws IOException {
        try (Stream<Path> files = Files.walk(configuration.directory())) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                if (!file.equals(configuration.directory())) {
                    Files.delete(file);
                }
            }
        }
    }

    /** Writes a heap dump, and returns the id of the result. */
    synchronized String dumpHeap() throws IOException, Refusal {
        requireFree();
        space.check("a heap dump", HeapDump.largestSize());
        Result result = new Result(configuration.directory(), ".hprof");
        current = result;
        try {
            HeapDump.write(result.file);
        } catch (IOException e) {
            clear();
            throw new Refusal(500, "the heap dump failed: " + e.getMessage());
        }
        result.complete = true;
        result.touched = System.nanoTime();
        log.info("diagnostics: the heap dump has {} bytes", Files.size(result.file));
        return result.id;
    }

    /** Starts a flight recording, and returns the id of the result. */
    synchronized String record(Duration length, ScheduledExecutorService timer) throws IOException, Refusal {
        requireFree();
        space.check("a flight recording", FlightRecording.LARGEST_SIZE);
        Result result = new Result(configuration.directory(), ".jfr");
        result.recording = new FlightRecording(configuration.directory());
        current = result;
        timer.schedule(() -> finish(result), length.toMillis(), TimeUnit.MILLISECONDS);
        return result.id;
    }

    private synchronized void finish(Result result) {
        if (current != result) {
            return;
        }
        try (FlightRecording recording = result.recording) {
            recording.finish(result.file);
            result.complete = true;
        } catch (IOException e) {
            log.warn("the flight recording failed", e);
            result.failure = "the flight recording failed: " + e.getMessage();
        }
        result.recording = null;
        notifyAll();
    }

    private void requireFree() throws Refusal {
        sweep();
        if (current != null) {
            throw new Refusal(
                    409,
                    "another heap dump or flight recording of this pod is in progress: try again later, or choose another pod with --pod");
        }
    }

    /**
     * Waits until the result is complete. Returns false if the result is not complete after the
     * time {@code wait}.
     */
    synchronized boolean awaitComplete(String id, Duration wait) throws InterruptedException, Refusal {
        long end = System.nanoTime() + wait.toNanos();
        for (Result result = find(id); ; result = find(id)) {
            if (result.failure != null) {
                throw new Refusal(410, result.failure);
            }
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (result.complete || left <= 0) {
                return result.complete;
            }
            wait(left);
        }
    }

    long size(String id) throws IOException, Refusal {
        return Files.size(find(id).file);
    }

    void send(String id, long offset, long length, OutputStream to) throws IOException, Refusal {
        // Each call of `find` restarts the timeout of the result, and fails if the server has
        // deleted the result.
        long end = offset + length;
        for (long at = offset; at < end; at += FilePart.BUFFER) {
            FilePart.send(find(id).file, at, Math.min(FilePart.BUFFER, end - at), to);
        }
        find(id);
    }

    private synchronized Result find(String id) throws Refusal {
        if (current == null || !current.id.equals(id)) {
            throw new Refusal(410, "the result no longer exists: no one asked for it in time, or the JVM restarted");
        }
        current.touched = System.nanoTime();
        return current;
    }

    synchronized void delete(String id) throws Refusal {
        find(id);
        clear();
    }

    /** Deletes the result if no caller has asked for the result within the time {@code keep}. */
    synchronized void sweep() {
        if (current != null && System.nanoTime() - current.touched > keep.toNanos()) {
            log.warn("diagnostics: no caller has fetched the result in time");
            clear();
        }
    }

    /** Stops the recording, and deletes the result. */
    synchronized void clear() {
        Result result = current;
        current = null;
        notifyAll();
        if (result == null) {
            return;
        }
        if (result.recording != null) {
            result.recording.close();
        }
        try {
            Files.deleteIfExists(result.file);
        } catch (IOException e) {
            log.warn("could not delete {}", result.file, e);
        }
    }
}
