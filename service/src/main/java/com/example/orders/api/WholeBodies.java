package com.example.orders.api;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.EagerContentHandler.ContentLoader;
import org.eclipse.jetty.server.handler.EagerContentHandler.ContentLoaderFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Invocable;

/**
 * Reads the whole body of each request before a thread handles the request. So a client that sends
 * slowly uses no thread, and no place of {@link Admission}. This class copies the bytes, because
 * Jetty's own loader keeps a buffer of 8 KiB in memory, even for a piece of one byte.
 *
 * <p>This class also reads a body that the route does not need or that is too large. If the server
 * does not read a body to its end, Jetty closes the connection after the response, and the client's
 * next request on this connection fails. If this class has discarded more than 16 MiB of a body, it
 * stops reading, and Jetty closes the connection after the response.
 */
final class WholeBodies implements ContentLoaderFactory {
    private static final int MAX_DISCARDED = 16 << 20;

    private final SlowClients clients;

    WholeBodies(SlowClients clients) {
        this.clients = clients;
    }

    @Override
    public String getApplicableMimeType() {
        return null;
    }

    @Override
    public ContentLoader newContentLoader(
            String contentType,
            String mimeType,
            Handler handler,
            Request request,
            Response response,
            Callback callback) {
        return new Loader(handler, request, response, callback);
    }

    private final class Loader extends ContentLoader implements Invocable.Task {
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private final SlowClients.Wait wait;
        private int discarded;

        Loader(Handler handler, Request request, Response response, Callback callback) {
            super(handler, request, response, callback);
            wait = clients.begin(request.getComponents().getScheduler(), this::refuse);
        }

        @Override
        protected void load() {
            run();
        }

        @Override
        public void run() {
            Content.Chunk chunk = getRequest().read();
            while (chunk != null) {
                if (Content.Chunk.isFailure(chunk)) {
                    next(chunk);
                    return;
                }
                take(chunk.getByteBuffer());
                boolean last = chunk.isLast();
                chunk.release();
                if (last) {
                    next(Content.Chunk.EOF);
                    return;
                }
                if (discarded > MAX_DISCARDED) {
                    getResponse().getHeaders().put(HttpHeader.CONNECTION, "close");
                    next(Content.Chunk.EOF);
                    return;
                }
                chunk = getRequest().read();
            }
            getRequest().demand(this);
        }

        /**
         * Keeps one byte more than a body may have, so that the handler can detect a body that is
         * too large.
         */
        private void take(ByteBuffer piece) {
            int kept = Math.min(piece.remaining(), RequestBody.MAX_BYTES + 1 - body.size());
            discarded += piece.remaining() - kept;
            byte[] bytes = new byte[kept];
            piece.get(bytes);
            body.writeBytes(bytes);
            wait.hold(kept);
        }

        private void next(Content.Chunk end) {
            if (wait.done()) {
                handle(new WholeRequest(getRequest(), body.toByteArray(), end), getResponse(), getCallback());
            }
        }

        private void refuse() {
            getResponse().getHeaders().put(HttpHeader.CONNECTION, "close");
            Response.writeError(getRequest(), getResponse(), getCallback(), HttpStatus.REQUEST_TIMEOUT_408);
        }
    }

    /** A request whose body is already in memory. */
    private static final class WholeRequest extends Request.Wrapper {
        private final Content.Chunk end;
        private byte[] body;

        WholeRequest(Request request, byte[] body, Content.Chunk end) {
            super(request);
            this.body = body;
            this.end = end;
        }

        @Override
        public Content.Chunk read() {
            if (body == null || body.length == 0) {
                return end;
            }
            Content.Chunk chunk = Content.Chunk.from(ByteBuffer.wrap(body), false);
            // From now on, only the chunk keeps the body in memory.
            body = null;
            return chunk;
        }

        @Override
        public void demand(Runnable available) {
            available.run();
        }
    }
}
