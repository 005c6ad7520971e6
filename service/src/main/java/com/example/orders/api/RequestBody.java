package com.example.orders.api;

import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.util.regex.Pattern;

/**
 * Reads the body of a request. This class refuses a body whose Content-Type is not JSON, and a body
 * that is too large.
 */
final class RequestBody {
    /**
     * Maximum size of a body. The largest order has 200 items and 13,000 characters. If a client
     * writes each character as two JSON escapes (12 bytes), the size of this order is 180 kB.
     */
    static final int MAX_BYTES = 256 << 10;
    // JSON is always UTF-8 (RFC 8259), so the only accepted charset is UTF-8.
    private static final Pattern JSON =
            Pattern.compile("application/json\\s*(;\\s*charset\\s*=\\s*\"?utf-8\"?\\s*)?", Pattern.CASE_INSENSITIVE);

    private RequestBody() {}

    static byte[] json(Context context) {
        String type = context.contentType();
        if (type == null || !JSON.matcher(type).matches()) {
            throw new ProblemException(415, "The body must be application/json in UTF-8.");
        }
        if (context.header("Content-Encoding") != null) {
            throw new ProblemException(415, "The body must not have a Content-Encoding.");
        }
        return read(context);
    }

    private static byte[] read(Context context) {
        byte[] body;
        try (InputStream in = context.bodyInputStream()) {
            body = in.readNBytes(MAX_BYTES + 1);
        } catch (IOException e) {
            throw new ProblemException(400, "The body could not be read to its end.");
        }
        if (body.length > MAX_BYTES) {
            throw new ProblemException(413, "The body must have at most " + MAX_BYTES + " bytes.");
        }
        return body;
    }
}
