package com.example.orders.output;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * Opens the stream to which a command writes its output: standard output or a file. Kubernetes
 * stores standard output in the log of the pod. If the output is in a file, {@link OutputServer} in
 * another container of the pod sends the output to the caller, and no log contains the output.
 */
public final class CommandOutput {
    /** Variable with the directory of the file. If unset, commands write to standard output. */
    static final String VARIABLE = "COMMAND_OUTPUT_DIRECTORY";

    private CommandOutput() {}

    /**
     * Opens the output of this process. A process may call this method only once.
     *
     * @param variables environment variables of the process
     * @throws IOException if the process cannot create the file in the directory
     */
    public static OutputStream open(Map<String, String> variables) throws IOException {
        String directory = variables.get(VARIABLE);
        return directory == null ? new FileOutputStream(FileDescriptor.out) : locked(Path.of(directory));
    }

    /** Returns the file of the output in a directory. */
    static Path fileIn(Path directory) {
        return directory.resolve("stdout");
    }

    /**
     * Creates the file, and holds a lock on the file until the process ends. If someone kills the
     * process, the kernel releases the lock. So the lock shows {@link OutputServer} whether the
     * output is complete. This method creates the file with a temporary name, locks the file, and
     * then renames the file. So {@link OutputServer} never finds the file without the lock.
     */
    private static OutputStream locked(Path directory) throws IOException {
        Path unnamed = directory.resolve("stdout.new");
        FileChannel channel = FileChannel.open(unnamed, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        channel.lock();
        Files.move(unnamed, fileIn(directory), StandardCopyOption.ATOMIC_MOVE);
        return new Unclosed(channel);
    }

    /** A stream that ignores {@code close()}, because closing the file would release the lock. */
    private static final class Unclosed extends OutputStream {
        private final OutputStream file;

        private Unclosed(FileChannel channel) {
            file = Channels.newOutputStream(channel);
        }

        @Override
        public void write(int one) throws IOException {
            file.write(one);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            file.write(bytes, offset, length);
        }
    }
}
