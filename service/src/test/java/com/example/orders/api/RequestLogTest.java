package com.example.orders.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.example.orders.support.Client.Answer;
import com.example.orders.support.TestApi;
import com.example.orders.support.TestDatabase;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class RequestLogTest {
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String PARENT = "-b7ad6b7169203331-01";

    private final Logger logger = (Logger) LoggerFactory.getLogger(RequestMetrics.class);
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();
    private TestDatabase database;
    private TestApi api;

    @BeforeEach
    void start() throws Exception {
        database = TestDatabase.migrated();
        api = new TestApi(database.configuration());
        appender.start();
        logger.setLevel(Level.DEBUG);
        logger.addAppender(appender);
    }

    @AfterEach
    void stop() {
        logger.detachAppender(appender);
        logger.setLevel(null);
        api.close();
    }

    @Test
    void failedRequestIsOneLineWithRouteAndTrace() throws Exception {
        assertEquals(
                404,
                get("/orders/00000000-0000-0000-0000-000000000000", "00-" + TRACE + PARENT)
                        .status());
        database.execute("DROP TABLE order_items");
        assertEquals(503, get("/orders", "00-" + TRACE + PARENT).status());
        assertLine(Level.INFO, "GET /orders/{id} 404 in ");
        assertLine(Level.WARN, "GET /orders 503 in ");
    }

    @Test
    void goodRequestIsNotLoggedByDefault() throws Exception {
        get("/orders", "00-" + TRACE + PARENT);
        assertLine(Level.DEBUG, "GET /orders 200 in ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ff-" + TRACE + PARENT,
                "00-00000000000000000000000000000000" + PARENT,
                "00-" + TRACE + "-0000000000000000-01",
                "nonsense"
            })
    void traceparentThatIsNotValidIsIgnored(String traceparent) throws Exception {
        String first = get("/orders", traceparent).header("Trace-Id");
        assertTrue(first.matches("[0-9a-f]{32}"), first);
        assertNotEquals(TRACE, first);
        assertNotEquals(first, get("/orders", traceparent).header("Trace-Id"));
    }

    @Test
    void durationsHaveAHistogram() throws Exception {
        get("/orders", "00-" + TRACE + PARENT);
        String metrics = api.management().get("/metrics").text();
        assertTrue(
                metrics.contains(
                        "http_server_requests_seconds_bucket{method=\"GET\",route=\"/orders\",status=\"200\",le=\"10.0\"} 1"),
                metrics);
    }

    private Answer get(String path, String traceparent) throws Exception {
        return api.client().send("GET", path, BodyPublishers.noBody(), "traceparent", traceparent);
    }

    private void assertLine(Level level, String start) throws InterruptedException {
        // The service writes the log line after it has sent the response, so the test waits.
        while (lines(start).isEmpty()) {
            Thread.sleep(5);
        }
        assertEquals(1, lines(start).size());
        assertEquals(level, lines(start).get(0).getLevel());
        assertEquals(TRACE, lines(start).get(0).getMDCPropertyMap().get("trace_id"));
    }

    private List<ILoggingEvent> lines(String start) {
        return List.copyOf(appender.list).stream()
                .filter(event -> event.getFormattedMessage().startsWith(start))
                .toList();
    }
}
