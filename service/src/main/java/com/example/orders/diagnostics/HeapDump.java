package com.example.orders.diagnostics;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Heap dumps of this JVM, with only the objects that the program can still reach. */
final class HeapDump {
    // A row of the class histogram: number, instances, bytes, class.
    private static final Pattern ROW = Pattern.compile("(?m)^\\s*\\d+:\\s+(\\d+)\\s+(\\d+)\\s+(\\S+)");
    private static final Pattern PRIMITIVE_ARRAY = Pattern.compile("\\[[BCDFIJSZ]");
    // Space for the names and fields of classes, and for stack traces. This service needs about 12
    // MiB.
    private static final long CLASSES = 32L << 20;

    private HeapDump() {}

    /**
     * Returns the maximum size of the next dump, in bytes. The size of a reference is 8 bytes in a
     * dump, and usually 4 bytes in the heap. So an object is at most about twice as large in a
     * dump. An array of numbers has about the same size in a dump and in the heap. This method
     * makes the JVM collect the garbage of the whole heap.
     */
    static long largestSize() {
        long bytes = CLASSES;
        Matcher row = ROW.matcher(VirtualMachine.run("gcClassHistogram"));
        while (row.find()) {
            long instances = Long.parseLong(row.group(1));
            long size = Long.parseLong(row.group(2));
            boolean primitive = PRIMITIVE_ARRAY.matcher(row.group(3)).matches();
            bytes += primitive ? size + 2 * instances : 2 * size + instances;
        }
        return bytes;
    }

    /**
     * Writes a dump. The JVM runs no other code until the dump is complete.
     *
     * @param file a file that does not exist, whose name ends with {@code .hprof}
     */
    static void write(Path file) throws IOException {
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(file.toString(), true);
    }
}
