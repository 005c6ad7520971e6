-- expand
-- How far `export --continue NAME` has come: it has written every order before this time.
CREATE TABLE export_progress (
    name           varchar(100) PRIMARY KEY,
    exported_until timestamptz  NOT NULL
);
