package com.example.orders.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A cgroup with a memory limit, like the cgroup of a container. A process can use this class only
 * if the process may create cgroups. For example, a root process outside a container may create
 * cgroups.
 *
 * @see <a href="https://docs.kernel.org/admin-guide/cgroup-v1/memory.html">cgroup v1</a>
 * @see <a href="https://docs.kernel.org/admin-guide/cgroup-v2.html#memory">cgroup v2</a>
 */
public final class MemoryLimit implements AutoCloseable {
    private static final Path V2 = Path.of("/sys/fs/cgroup");
    private static final Path V1 = V2.resolve("memory");

    private final Path cgroup;

    private MemoryLimit(Path cgroup) {
        this.cgroup = cgroup;
    }

    /** @throws IOException if this process may not create cgroups */
    public static MemoryLimit of(long bytes) throws IOException {
        boolean isV2 = Files.exists(V2.resolve("cgroup.controllers"));
        if (isV2) {
            // Without this line, the new cgroup has no file memory.max.
            Files.writeString(V2.resolve("cgroup.subtree_control"), "+memory");
        }
        Path cgroup = (isV2 ? V2 : V1)
                .resolve("services-orders-test-" + ProcessHandle.current().pid());
        MemoryLimit limit = new MemoryLimit(Files.createDirectory(cgroup));
        try {
            limit.write(isV2 ? "memory.max" : "memory.limit_in_bytes", Long.toString(bytes));
            // A pod has no swap, so the cgroup must not use swap either. On a kernel without swap,
            // these files do not exist.
            limit.writeIfThere(isV2 ? "memory.swap.max" : "memory.swappiness", "0");
        } catch (IOException e) {
            limit.close();
            throw e;
        }
        return limit;
    }

    /** Returns a command that runs {@code command} in this cgroup, with the same process ID. */
    List<String> wrap(List<String> command) {
        List<String> shell = List.of(
                "sh",
                "-c",
                "echo $$ > \"$0\" && exec \"$@\"",
                cgroup.resolve("cgroup.procs").toString());
        return Stream.concat(shell.stream(), command.stream()).toList();
    }

    private void writeIfThere(String file, String value) throws IOException {
        if (Files.exists(cgroup.resolve(file))) {
            write(file, value);
        }
    }

    private void write(String file, String value) throws IOException {
        Files.writeString(cgroup.resolve(file), value);
    }

    /** Deletes the cgroup. All processes of the cgroup must have ended. */
    @Override
    public void close() throws IOException {
        Files.delete(cgroup);
    }
}
