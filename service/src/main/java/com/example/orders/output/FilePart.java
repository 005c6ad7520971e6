package com.example.orders.output;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Sends a part of a file to a caller. The caller may already have the earlier parts. */
public final class FilePart {
    /** Size of the buffer, in bytes. */
    public static final int BUFFER = 1 << 16;

    private FilePart() {}

    /**
     * Sends {@code length} bytes of a file, from position {@code offset}.
     *
     * @throws IOException if the file has fewer bytes, or if the caller no longer reads
     */
    public static void send(Path file, long offset, long length, OutputStream to) throws IOException {
        try (FileChannel from = FileChannel.open(file, StandardOpenOption.READ)) {
            from.position(offset);
            InputStream in = Channels.newInputStream(from);
            byte[] buffer = new byte[BUFFER];
            long left = length;
            while (left > 0) {
                int read = in.read(buffer, 0, (int) Math.min(BUFFER, left));
                if (read < 0) {
                    throw new IOException("the file became shorter");
                }
                to.write(buffer, 0, read);
                left -= read;
            }
        }
    }
}
