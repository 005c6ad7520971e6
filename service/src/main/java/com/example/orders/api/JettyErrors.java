package com.example.orders.api;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/**
 * Writes the error responses to requests that never reach a handler, for example because the
 * request line is not valid or a header is too large.
 */
final class JettyErrors extends ErrorHandler {
    private final String version;

    JettyErrors(String version) {
        this.version = version;
    }

    @Override
    protected void generateResponse(
            Request request, Response response, int status, String message, Throwable cause, Callback callback) {
        byte[] body = Json.bytes(Problem.of(status, "The server could not read the request."));
        response.setStatus(status);
        response.getHeaders().put(ApiServer.VERSION_HEADER, version);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, Problem.CONTENT_TYPE);
        response.write(true, ByteBuffer.wrap(body), callback);
    }
}
