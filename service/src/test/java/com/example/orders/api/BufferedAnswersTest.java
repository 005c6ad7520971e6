package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.orders.support.Client;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BufferedAnswersTest {
    private static final int THREADS = 8;
    private static final int CLIENTS = 2 * THREADS;
    // This response does not fit into the buffers of the sockets. So the server cannot write the
    // whole response while the client reads nothing.
    private static final byte[] LARGE = new byte[4 << 20];

    private final CountDownLatch begun = new CountDownLatch(CLIENTS);
    private final List<Socket> slow = new ArrayList<>();
    private final Server server = new Server(new QueuedThreadPool(THREADS));

    /**
     * Writes its response in the same way as a servlet: the thread waits until the bytes are
     * written.
     */
    private final class Blocking extends Handler.Abstract {
        @Override
        public boolean handle(Request request, Response response, Callback callback) throws Exception {
            begun.countDown();
            try (OutputStream out = Content.Sink.asOutputStream(response)) {
                out.write(request.getHttpURI().getPath().equals("/large") ? LARGE : new byte[1]);
            }
            callback.succeeded();
            return true;
        }
    }

    @AfterEach
    void stop() throws Exception {
        for (Socket socket : slow) {
            socket.close();
        }
        LifeCycle.stop(server);
    }

    @Test
    void answersThatNobodyReadsTakeNoThreads() throws Exception {
        SlowClients clients = new SlowClients(Duration.ofHours(1), Long.MAX_VALUE, new SimpleMeterRegistry());
        server.setHandler(new BufferedAnswers(new Blocking(), clients));
        ServerConnector connector = new ServerConnector(server, 1, 1);
        server.addConnector(connector);
        server.start();
        for (int i = 0; i < CLIENTS; i++) {
            Socket socket = new Socket();
            slow.add(socket);
            socket.setReceiveBufferSize(4096);
            socket.connect(new InetSocketAddress("localhost", connector.getLocalPort()));
            socket.getOutputStream()
                    .write("GET /large HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        assertTrue(begun.await(30, TimeUnit.SECONDS), "clients that do not read hold every thread");
        assertEquals(200, new Client(connector.getLocalPort()).get("/small").status());
    }
}
