package com.example.orders.api;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Collects each response in memory, and then writes the response to the client with asynchronous
 * I/O. Otherwise, the thread that handles a request would have to wait for a client that reads
 * slowly. Each response is small enough for the memory, because a page of orders has a maximum
 * size.
 */
final class BufferedAnswers extends Handler.Wrapper {
    private final SlowClients clients;

    BufferedAnswers(Handler handler, SlowClients clients) {
        super(handler);
        this.clients = clients;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        Answer answer = new Answer(request, response, callback);
        return super.handle(request, answer, answer);
    }

    private final class Answer extends Response.Wrapper implements Callback {
        private final Callback callback;
        private ByteArrayOutputStream collected = new ByteArrayOutputStream();
        private boolean lastWritten;
        // The response ends when both fields are true. `handled` is true if the handler has ended.
        // `written` is true if the write has succeeded or failed, or if this class writes nothing.
        private boolean handled;
        private boolean written;
        private Throwable failure;

        Answer(Request request, Response response, Callback callback) {
            super(request, response);
            this.callback = callback;
        }

        @Override
        public void write(boolean last, ByteBuffer piece, Callback done) {
            if (piece != null) {
                byte[] bytes = new byte[piece.remaining()];
                piece.get(bytes);
                collected.writeBytes(bytes);
            }
            if (last) {
                writeAll();
            }
            done.succeeded();
        }

        private void writeAll() {
            lastWritten = true;
            byte[] all = collected.toByteArray();
            collected = new ByteArrayOutputStream(0);
            SlowClients.Wait wait = clients.begin(
                    getRequest().getComponents().getScheduler(),
                    () -> getRequest()
                            .getConnectionMetaData()
                            .getConnection()
                            .getEndPoint()
                            .close());
            wait.hold(all.length);
            super.write(
                    true,
                    ByteBuffer.wrap(all),
                    Callback.from(() -> written(wait, null), thrown -> written(wait, thrown)));
        }

        private void written(SlowClients.Wait wait, Throwable thrown) {
            wait.done();
            end(false, true, thrown);
        }

        @Override
        public void reset() {
            collected.reset();
            super.reset();
        }

        @Override
        public void succeeded() {
            if (!lastWritten && collected.size() > 0) {
                writeAll();
            }
            end(true, !lastWritten, null);
        }

        @Override
        public void failed(Throwable thrown) {
            end(true, !lastWritten, thrown);
        }

        private void end(boolean isHandled, boolean isWritten, Throwable thrown) {
            synchronized (this) {
                handled |= isHandled;
                written |= isWritten;
                failure = failure == null ? thrown : failure;
                if (!handled || !written) {
                    return;
                }
            }
            if (failure == null) {
                callback.succeeded();
            } else {
                callback.failed(failure);
            }
        }
    }
}
