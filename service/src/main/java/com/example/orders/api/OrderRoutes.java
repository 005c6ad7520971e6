package com.example.orders.api;

import com.example.orders.model.NewOrder;
import com.example.orders.model.Order;
import com.example.orders.model.OrderStatus;
import com.example.orders.store.Created;
import com.example.orders.store.IdempotencyConflictException;
import com.example.orders.store.OrderStore;
import com.example.orders.store.Settled;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.regex.Pattern;

final class OrderRoutes {
    static final String IDEMPOTENCY_KEY = "Idempotency-Key";
    private static final Pattern KEY = Pattern.compile("[!-~]{1,255}");

    // Maximum number of pages that requests read at the same time. A page needs up to 5 MB of
    // memory, so this number limits the memory for pages.
    private static final int PAGES = 3;
    // Maximum number of bodies that requests parse at the same time. Parsing a body takes
    // milliseconds.
    private static final int PARSED_BODIES = 4;
    // Maximum number of requests that wait to read a page. Each waiting request uses one of the 350
    // places of Admission, so most places stay free for requests that do not read a page.
    private static final int WAITING_FOR_PAGE = 100;
    // Maximum time that a request waits for a page. A request also waits at most 3 s for a
    // connection of the pool.
    private static final Duration WAIT_FOR_PAGE = Duration.ofSeconds(3);

    private final Semaphore parsers = new Semaphore(PARSED_BODIES, true);
    private final PageAdmission pages = new PageAdmission(PAGES, WAITING_FOR_PAGE, WAIT_FOR_PAGE);
    private final OrderStore store;
    private final Admission admission;

    OrderRoutes(OrderStore store, Admission admission) {
        this.store = store;
        this.admission = admission;
    }

    /**
     * Registers the routes of orders. This method also registers routes for HEAD. Otherwise,
     * Javalin would answer a HEAD request with status 200, even if a GET request for the same path
     * gets 404 or 503.
     */
    void register(RoutesConfig routes) {
        routes.post("/orders", admission.limit(this::create));
        routes.get("/orders", admission.limit(this::list));
        routes.head("/orders", admission.limit(this::list));
        routes.get("/orders/{id}", admission.limit(this::get));
        routes.head("/orders/{id}", admission.limit(this::get));
        routes.post("/orders/{id}/pay", admission.limit(context -> settle(context, OrderStatus.PAID)));
        routes.post("/orders/{id}/cancel", admission.limit(context -> settle(context, OrderStatus.CANCELLED)));
    }

    private void create(Context context) throws SQLException, InterruptedException {
        Optional<String> key = idempotencyKey(context);
        NewOrder request = parse(context);
        Order order;
        if (key.isPresent()) {
            Created created = create(request, key.get());
            order = created.order();
            if (created.replayed()) {
                markReplayed(context);
            }
        } else {
            order = store.create(request);
        }
        context.status(201).header("Location", "/orders/" + order.id());
        answer(context, order);
    }

    private NewOrder parse(Context context) throws InterruptedException {
        parsers.acquire();
        try {
            return OrderRequest.parse(RequestBody.json(context));
        } finally {
            parsers.release();
        }
    }

    private Created create(NewOrder request, String key) throws SQLException {
        try {
            return store.create(request, key);
        } catch (IdempotencyConflictException e) {
            throw ProblemException.badField(422, IDEMPOTENCY_KEY, "was used before, for another order");
        }
    }

    private static Optional<String> idempotencyKey(Context context) {
        Optional<String> key = Optional.ofNullable(context.header(IDEMPOTENCY_KEY));
        if (key.isPresent() && !KEY.matcher(key.get()).matches()) {
            throw ProblemException.badField(400, IDEMPOTENCY_KEY, "must be 1 to 255 visible ASCII characters");
        }
        return key;
    }

    private void list(Context context) throws SQLException, InterruptedException {
        PageQuery query = PageQuery.parse(context.queryString());
        if (!pages.enter(query.limit())) {
            throw Admission.refused(context);
        }
        try {
            answer(context, OrderPage.of(store.page(query.status(), query.after(), query.limit())));
        } finally {
            pages.leave();
        }
    }

    private void get(Context context) throws SQLException {
        answer(context, store.find(id(context)).orElseThrow(OrderRoutes::notFound));
    }

    private void settle(Context context, OrderStatus status) throws SQLException {
        UUID id = id(context);
        Optional<String> key = idempotencyKey(context);
        Settled settled = settle(id, status, key).orElseThrow(OrderRoutes::notFound);
        switch (settled.outcome()) {
            case REFUSED -> throw refused(settled.order(), status);
            case REPLAYED -> markReplayed(context);
            case CHANGED, SAME -> {}
        }
        answer(context, settled.order());
    }

    private Optional<Settled> settle(UUID id, OrderStatus status, Optional<String> key) throws SQLException {
        try {
            return store.settle(id, status, key);
        } catch (IdempotencyConflictException e) {
            throw ProblemException.badField(422, IDEMPOTENCY_KEY, "was used before, for another request");
        }
    }

    private static ProblemException refused(Order order, OrderStatus wanted) {
        String detail = order.status() == wanted
                ? "Another request made the order " + wanted.text() + " before."
                : "The order is " + order.status().text() + ", so it cannot become " + wanted.text() + ".";
        return new ProblemException(409, detail);
    }

    private static void markReplayed(Context context) {
        context.header("Idempotent-Replayed", "true");
    }

    private static UUID id(Context context) {
        String text = context.pathParam("id");
        try {
            UUID id = UUID.fromString(text);
            // UUID.fromString also accepts short forms, such as 1-1-1-1-1. The Location of an order
            // never has a short form.
            if (id.toString().equalsIgnoreCase(text)) {
                return id;
            }
        } catch (IllegalArgumentException e) {
            // The statement below throws the exception for a text that is not a UUID, and for a
            // short form.
        }
        throw ProblemException.badField(400, "id", "must be a UUID");
    }

    private static ProblemException notFound() {
        return new ProblemException(404, "There is no order with this id.");
    }

    private static void answer(Context context, Object value) {
        context.contentType("application/json").result(Json.bytes(value));
    }
}
