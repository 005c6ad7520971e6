-- expand
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS orders_by_customer;
CREATE INDEX CONCURRENTLY orders_by_customer ON orders (customer);
