CREATE TABLE orders (
    id                  uuid PRIMARY KEY,
    customer            varchar(200) NOT NULL,
    currency            char(3)      NOT NULL,
    status              text         NOT NULL CHECK (status IN ('unpaid', 'paid', 'cancelled', 'expired')),
    total               bigint       NOT NULL CHECK (total >= 0),
    created_at          timestamptz  NOT NULL,
    updated_at          timestamptz  NOT NULL,
    -- The unique key is what makes concurrent requests with one key give one order.
    idempotency_key     varchar(255) UNIQUE,
    request_fingerprint bytea,
    CHECK ((idempotency_key IS NULL) = (request_fingerprint IS NULL))
);

-- Pages and exports go through orders in this sequence, with and without a status.
CREATE INDEX orders_by_time ON orders (created_at, id);
CREATE INDEX orders_by_status_and_time ON orders (status, created_at, id);

CREATE TABLE order_items (
    order_id   uuid        NOT NULL REFERENCES orders (id),
    position   integer     NOT NULL,
    sku        varchar(64) NOT NULL,
    quantity   integer     NOT NULL CHECK (quantity > 0),
    unit_price bigint      NOT NULL CHECK (unit_price >= 0),
    PRIMARY KEY (order_id, position)
);
