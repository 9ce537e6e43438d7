-- When a backup was completed, and how large it is: what deploy/backup/backup.sh notes.
CREATE TABLE backups (
    taken_at timestamptz PRIMARY KEY,
    bytes    bigint NOT NULL
);
