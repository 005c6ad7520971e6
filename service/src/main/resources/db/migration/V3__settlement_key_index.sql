-- expand
-- It only waits for open transactions, and blocks neither reads nor writes: it may wait.
SET lock_timeout = 0;
-- A run that was stopped leaves an index that is not valid.
DROP INDEX CONCURRENTLY IF EXISTS orders_by_settlement_key;
CREATE UNIQUE INDEX CONCURRENTLY orders_by_settlement_key ON orders (settlement_key)
    WHERE settlement_key IS NOT NULL;
