-- expand, long
SELECT pg_sleep(600);
