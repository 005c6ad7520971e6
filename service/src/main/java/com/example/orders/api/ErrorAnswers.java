package com.example.orders.api;

import com.example.orders.store.Failures;
import com.example.orders.store.OutcomeUnknownException;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.sql.SQLException;
import org.eclipse.jetty.http.HttpException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns every exception of a handler into an error response without a stack trace. */
final class ErrorAnswers {
    private static final Logger log = LoggerFactory.getLogger(ErrorAnswers.class);
    private static final String UNEXPECTED = "The service failed to answer this request.";
    private static final String OUTCOME_UNKNOWN =
            "The database failed while it stored the order, so the order may exist or not. Look for it before you"
                    + " send it again. With an Idempotency-Key, you can send a request again safely.";

    private ErrorAnswers() {}

    static void register(JavalinConfig config) {
        config.routes.exception(ProblemException.class, (e, context) -> answer(context, e.problem()));
        config.routes.exception(HttpResponseException.class, ErrorAnswers::answer);
        config.routes.exception(SQLException.class, ErrorAnswers::answer);
        config.routes.exception(Exception.class, ErrorAnswers::answer);
        config.router.javaLangErrorHandler(ErrorAnswers::answer);
    }

    static void answer(Context context, Problem problem) {
        context.status(problem.status()).contentType(Problem.CONTENT_TYPE).result(Json.bytes(problem));
    }

    private static void answer(HttpResponseException e, Context context) {
        if (e.getStatus() == HttpServletResponse.SC_METHOD_NOT_ALLOWED) {
            context.header("Allow", e.getDetails().getOrDefault("availableMethods", ""));
        }
        String detail = e.getStatus() == HttpServletResponse.SC_NOT_FOUND
                ? "There is nothing at this path."
                : "The path does not take " + context.req().getMethod() + ".";
        answer(context, Problem.of(e.getStatus(), detail));
    }

    private static void answer(SQLException e, Context context) {
        boolean unavailable = Failures.isUnavailable(e);
        if (unavailable) {
            log.warn("database not available: {}", e.getMessage());
        } else {
            log.error("database error {}", e.getSQLState(), e);
        }
        boolean outcomeUnknown = e instanceof OutcomeUnknownException;
        if (outcomeUnknown && !isRepeatable(context)) {
            answer(context, Problem.of(500, OUTCOME_UNKNOWN));
            return;
        }
        // If the outcome of a commit is unknown, the error can have any SQLSTATE, so this code
        // ignores the SQLSTATE. The client can repeat the request, and the second response shows
        // what the first request did.
        if (!unavailable && !outcomeUnknown) {
            answer(context, Problem.of(500, UNEXPECTED));
            return;
        }
        context.header("Retry-After", "1");
        answer(
                context,
                Problem.of(
                        503,
                        "The database is not available. Try again, with the same Idempotency-Key if the request"
                                + " has one."));
    }

    /**
     * Whether a client can repeat a request that writes to the database, without the risk that the
     * service executes the request twice. True for all requests that write to the database, except
     * for a request that creates an order without an idempotency key.
     */
    private static boolean isRepeatable(Context context) {
        return context.header(OrderRoutes.IDEMPOTENCY_KEY) != null
                || context.pathParamMap().containsKey("id");
    }

    private static void answer(Exception e, Context context) {
        // Jetty throws this exception if the body is not valid HTTP. Jetty finds this error only
        // while the handler reads the body.
        if (e instanceof HttpException bad) {
            answer(context, Problem.of(bad.getCode(), "The request is not valid HTTP."));
            return;
        }
        log.error("unexpected failure", e);
        answer(context, Problem.of(500, UNEXPECTED));
    }

    private static void answer(HttpServletResponse response, Error e) {
        log.error("unexpected failure", e);
        response.setStatus(500);
        response.setContentType(Problem.CONTENT_TYPE);
        try {
            response.getOutputStream().write(Json.bytes(Problem.of(500, UNEXPECTED)));
        } catch (IOException gone) {
            log.debug("the client has gone", gone);
        }
    }
}
