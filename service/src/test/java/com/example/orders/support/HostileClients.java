package com.example.orders.support;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends hostile load to a port of localhost, until the caller kills this process. The load consists
 * of request bodies that are too large, requests for the largest pages, slow senders and slow
 * readers. This class runs in a separate process, so that the threads that send good requests do
 * not wait for these clients.
 */
public final class HostileClients {
    private static final int BODIES = 200;
    private static final int SLOW = 400;
    private static final int PAGES = 50;
    private static final String LARGEST_PAGE = "/orders?limit=200";

    private final int port;

    private HostileClients(int port) {
        this.port = port;
    }

    public static void main(String[] arguments) {
        HostileClients clients = new HostileClients(Integer.parseInt(arguments[0]));
        // 1 MiB
        BodyPublisher objects = BodyPublishers.ofString("{\"items\":[{}" + ",{}".repeat(349_520) + "]}");
        Client client = new Client(clients.port);
        for (int i = 0; i < BODIES; i++) {
            start(() -> client.create(objects));
        }
        for (int i = 0; i < PAGES; i++) {
            start(() -> client.get(LARGEST_PAGE));
        }
        List<Socket> readers = new ArrayList<>();
        start(() -> clients.keepOpen(readers, "GET " + LARGEST_PAGE + " HTTP/1.1\r\nHost: a\r\n\r\n", false));
        List<Socket> senders = new ArrayList<>();
        String head =
                "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n";
        start(() -> clients.keepOpen(senders, head, true));
    }

    private interface Step {
        void run() throws IOException, InterruptedException;
    }

    private static void start(Step step) {
        Thread thread = new Thread(() -> {
            while (true) {
                try {
                    step.run();
                } catch (IOException e) {
                    // The service may close the connection of a hostile client, so this code
                    // ignores the error.
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
        thread.start();
    }

    /**
     * Opens slow connections until {@link #SLOW} connections are open, and then waits one second.
     * This method replaces each connection that the service has closed.
     */
    private void keepOpen(List<Socket> open, String request, boolean drip) throws InterruptedException {
        open.removeIf(socket -> !isOpen(socket, drip));
        while (open.size() < SLOW) {
            open.add(slow(request));
        }
        Thread.sleep(1000);
    }

    private Socket slow(String request) {
        Socket socket = new Socket();
        try {
            socket.setReceiveBufferSize(4096);
            socket.setSoTimeout(1);
            socket.connect(new InetSocketAddress("localhost", port));
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            closeQuietly(socket);
        }
        return socket;
    }

    private static boolean isOpen(Socket socket, boolean drip) {
        try {
            if (socket.isClosed()) {
                return false;
            }
            if (drip) {
                socket.getOutputStream().write('{');
                return socket.getInputStream().available() == 0;
            }
            if (socket.getInputStream().available() > 0) {
                return socket.getInputStream().read() >= 0;
            }
            return true;
        } catch (IOException e) {
            closeQuietly(socket);
            return false;
        }
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // The socket is closed even if close() has thrown an exception.
        }
    }
}
