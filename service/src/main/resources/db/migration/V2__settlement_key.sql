-- expand
-- The Idempotency-Key of the request that paid or cancelled the order.
ALTER TABLE orders ADD COLUMN settlement_key varchar(255);
