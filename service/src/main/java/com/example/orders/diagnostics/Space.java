package com.example.orders.diagnostics;

import com.example.orders.config.DiagnosticsConfiguration;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/** Checks that a file is not so large that Kubernetes evicts the pod. */
final class Space {
    // Maximum size of the pod's other files, which Kubernetes also counts for the pod's limit of
    // ephemeral storage: the logs (50 MiB), the volume /tmp (64 MiB) and, in some pods, the volume
    // of Datadog's agent (128 MiB).
    private static final long OTHERS = 242L << 20;
    // Part of the node's disk that must stay free. By default, the kubelet evicts pods if less than
    // 10 % of the disk is free. The remaining 5 % is a margin.
    private static final double LEAST_FREE = 0.15;

    /** The node's disk. */
    interface Disk {
        /** Returns the number of bytes that the pod may write before Kubernetes evicts pods. */
        long freeBytes(Path directory) throws IOException;
    }

    private final DiagnosticsConfiguration configuration;
    private final Disk disk;

    Space(DiagnosticsConfiguration configuration, Disk disk) {
        this.configuration = configuration;
        this.disk = disk;
    }

    /**
     * Returns how many bytes the pod may write until only {@link #LEAST_FREE} of the disk is free.
     */
    static long freeBytes(Path directory) throws IOException {
        FileStore store = Files.getFileStore(directory);
        return store.getUsableSpace() - (long) (LEAST_FREE * store.getTotalSpace());
    }

    /**
     * Checks that there is space for a file.
     *
     * @param what name of the file's content for messages, such as "a heap dump"
     * @throws Refusal if there is not enough space. The message contains the limit that is too low.
     */
    void check(String what, long bytes) throws Refusal, IOException {
        long free = disk.freeBytes(configuration.directory());
        String needs = "%s may need %d MiB, and ".formatted(what, mebibytes(bytes) + 1);
        if (bytes > configuration.volumeBytes()) {
            throw new Refusal(
                    507,
                    needs
                            + "the volume for diagnostics has %d MiB: raise its sizeLimit, or use a pod with a smaller heap"
                                    .formatted(mebibytes(configuration.volumeBytes())));
        }
        if (bytes > configuration.podBytes() - OTHERS) {
            throw new Refusal(
                    507,
                    needs
                            + "of the pod's limit for ephemeral-storage, %d MiB are left: raise the limit"
                                    .formatted(Math.max(0, mebibytes(configuration.podBytes() - OTHERS))));
        }
        if (bytes > free) {
            throw new Refusal(
                    507,
                    needs
                            + "the disk of the node has %d MiB until Kubernetes evicts pods: use a pod on another node"
                                    .formatted(Math.max(0, mebibytes(free))));
        }
    }

    private static long mebibytes(long bytes) {
        return bytes >> 20;
    }
}
