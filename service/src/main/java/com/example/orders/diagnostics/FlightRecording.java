package com.example.orders.diagnostics;

import java.io.IOException;
import java.nio.file.Path;
import java.text.ParseException;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;

/** A flight recording of this JVM, with the settings {@code profile} of the JRE. */
final class FlightRecording implements AutoCloseable {
    /**
     * Maximum space that a recording needs, in bytes. The JVM writes at most 64 MiB of events and
     * one more chunk of 12 MiB. The file for the caller is a copy of these bytes, so a recording
     * needs twice this space.
     */
    static final long LARGEST_SIZE = 2 * (64L + 12) << 20;

    private static final long MOST_EVENTS = 64L << 20;

    private final Recording recording;

    /**
     * Starts a recording.
     *
     * @param directory directory for the events
     */
    FlightRecording(Path directory) throws IOException {
        // By default, the JVM writes the events to /tmp, which is a small volume.
        VirtualMachine.run("jfrConfigure", "repositorypath=" + directory);
        try {
            recording = new Recording(Configuration.getConfiguration("profile"));
        } catch (ParseException e) {
            throw new IOException("the JRE has no settings for a profile", e);
        }
        recording.setToDisk(true);
        recording.setMaxSize(MOST_EVENTS);
        // The recording leaves out environment variables and system properties, because they may
        // contain passwords.
        recording.disable("jdk.InitialEnvironmentVariable");
        recording.disable("jdk.InitialSystemProperty");
        recording.start();
    }

    /** Stops the recording, and writes the recording to a file. */
    void finish(Path file) throws IOException {
        recording.stop();
        recording.dump(file);
    }

    @Override
    public void close() {
        recording.close();
    }
}
