package com.example.orders.api;

import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.MDC;

/**
 * Gives each request a trace id: the id in the request's header {@code traceparent} (W3C Trace
 * Context), or a new id. All log lines of the request have the field {@code trace_id}, and the
 * response has the header {@code Trace-Id}.
 */
final class Traces extends Handler.Wrapper {
    static final String HEADER = "Trace-Id";

    private static final String FIELD = "trace_id";
    // The header consists of version, trace id, parent id and flags. A later version of the header
    // may add fields. The version ff is not valid, and an id that contains only zeros is not valid.
    private static final Pattern TRACEPARENT =
            Pattern.compile("(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?");

    Traces(Handler handler) {
        super(handler);
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        String id = traceId(request.getHeaders().get("traceparent"));
        response.getHeaders().put(HEADER, id);
        MDC.put(FIELD, id);
        try {
            return super.handle(request, response, callback);
        } finally {
            MDC.remove(FIELD);
        }
    }

    private static String traceId(String traceparent) {
        if (traceparent != null) {
            Matcher matcher = TRACEPARENT.matcher(traceparent);
            if (matcher.matches()) {
                return matcher.group(1);
            }
        }
        return UUID.randomUUID().toString().replace("-", "");
    }
}
