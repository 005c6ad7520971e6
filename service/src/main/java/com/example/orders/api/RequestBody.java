package com.example.orders.api;

import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.util.regex.Pattern;

/** The body of a request, if it is JSON of a size that the service takes. */
final class RequestBody {
    /**
     * The largest order has 200 items and 13,000 characters. Written with each character as two escapes of
     * JSON, which are 12 bytes, it has 180 kB.
     */
    static final int MAX_BYTES = 256 << 10;
    private static final int MAX_DISCARDED = 16 << 20;
    // JSON is always UTF-8 (RFC 8259), so a charset may only say that.
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
        try {
            InputStream in = context.bodyInputStream();
            body = in.readNBytes(MAX_BYTES + 1);
            if (body.length > MAX_BYTES) {
                // A client that still sends would see a reset connection instead of the answer.
                in.skip(MAX_DISCARDED);
            }
        } catch (IOException e) {
            throw new ProblemException(400, "The body could not be read to its end.");
        }
        if (body.length > MAX_BYTES) {
            throw new ProblemException(413, "The body must have at most " + MAX_BYTES + " bytes.");
        }
        return body;
    }
}
