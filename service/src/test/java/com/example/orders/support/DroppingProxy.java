package com.example.orders.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A proxy that drops connections: some before the service gets the request, and some after the
 * service has answered. In both cases, the client cannot find out whether the service has executed
 * the request.
 */
public final class DroppingProxy implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final AtomicInteger dropped = new AtomicInteger();
    private final Random random = new Random(1);
    private final int target;
    private final int oneOf;

    /**
     * @param oneOf on average, the proxy drops one of {@code oneOf} pieces of data, and closes the
     *     connection of this piece
     */
    public DroppingProxy(int target, int oneOf) throws IOException {
        this.target = target;
        this.oneOf = oneOf;
        start(this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    public int dropped() {
        return dropped.get();
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Socket service = new Socket(InetAddress.getLoopbackAddress(), target);
            start(() -> forward(client, service));
            start(() -> forward(service, client));
        }
    }

    private void forward(Socket from, Socket to) throws IOException {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] piece = new byte[1 << 16];
            for (int read = in.read(piece); read > 0; read = in.read(piece)) {
                if (random.nextInt(oneOf) == 0) {
                    dropped.incrementAndGet();
                    return;
                }
                out.write(piece, 0, read);
            }
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException e) {
                // The client or the service has closed the connection, or the proxy
                // has dropped it.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
