-- What the import from SQLite keeps: its checkpoint, and the rows that have no place here.
CREATE TABLE IF NOT EXISTS sqlite_import (
    token text PRIMARY KEY,
    step text NOT NULL,
    position bigint NOT NULL,
    seq bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS sqlite_import_rejects (
    name text,
    key jsonb,
    reason text NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (name, key)
);
