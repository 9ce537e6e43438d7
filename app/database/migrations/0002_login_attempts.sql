-- Failed log-ins by account and by address, counted for all replicas together.
CREATE TABLE login_attempts (
    key      text PRIMARY KEY, -- 'account:' or 'address:' and a SHA-256
    failures integer NOT NULL,
    since    timestamptz NOT NULL
);
CREATE INDEX login_attempts_age ON login_attempts (since);
