"""A MiniTwit in SQLite: its schema, generated rows, and a writer."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from pathlib import Path

from tests.parts import PATIENCE

SCHEMA = """
CREATE TABLE user (user_id integer primary key autoincrement, username string not null,
                   email string not null, pw_hash string not null);
CREATE TABLE follower (who_id integer, whom_id integer);
CREATE TABLE message (message_id integer primary key autoincrement, author_id integer not null,
                      text string not null, pub_date integer, flagged integer);
"""
HASH = "pbkdf2:sha256:50000$aBcDeFgH$" + "0123456789abcdef" * 4


def create(path: Path) -> sqlite3.Connection:
    """An empty one; each statement is committed."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
    connection.executescript(SCHEMA)
    return connection


def fill(connection: sqlite3.Connection, users: int, messages: int, follows: int) -> None:
    """Rows as the simulator leaves them: some 90 bytes of text a message."""
    dice = random.Random(1)
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO user (username, email, pw_hash) VALUES (?, ?, ?)",
        ((f"User {n}", f"user{n}@example.org", HASH) for n in range(users)),
    )
    words = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy\n", "dog", "日本", "\\"]
    connection.executemany(
        "INSERT INTO message (author_id, text, pub_date, flagged) VALUES (?, ?, ?, 0)",
        (
            (dice.randint(1, users), " ".join(dice.choices(words, k=20)), 1_500_000_000 + n)
            for n in range(messages)
        ),
    )
    pairs = {(dice.randint(1, users), dice.randint(1, users)) for _ in range(follows)}
    connection.executemany("INSERT INTO follower VALUES (?, ?)", sorted(pairs))
    connection.execute("COMMIT")


class Writer(threading.Thread):
    """Adds, changes and deletes ``rate`` rows a second, until it is refused or stopped."""

    def __init__(self, path: Path, rate: float = 200, seed: int = 7) -> None:
        super().__init__(daemon=True)
        self.path, self.rate, self.dice = path, rate, random.Random(seed)
        self.over = threading.Event()
        self.done = 0
        self.slowest = 0.0
        self.refused = ""
        self.failed: list[str] = []

    def run(self) -> None:
        """Write; ``slowest`` keeps how long a write had to wait for others."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=PATIENCE)
        begin = time.monotonic()
        while not self.over.is_set():
            started = time.monotonic()
            try:
                self._write(connection)
            except sqlite3.Error as error:
                if "has moved" in str(error):
                    self.refused = str(error)
                    return
                self.failed.append(str(error))
            self.done += 1
            self.slowest = max(self.slowest, time.monotonic() - started)
            time.sleep(max(0.0, begin + self.done / self.rate - time.monotonic()))

    def stop(self) -> None:
        """No more."""
        self.over.set()
        self.join(PATIENCE)

    def _write(self, connection: sqlite3.Connection) -> None:
        users = connection.execute("SELECT max(user_id) FROM user").fetchone()[0]
        number, one, other = self.done, self.dice.randint(1, users), self.dice.randint(1, users)
        newest = "(SELECT max(message_id) FROM message)"
        statement, values = self.dice.choice((
            ("INSERT INTO message (author_id, text, pub_date, flagged) VALUES (?, ?, ?, 0)",
             (one, f"text {number}", number)),
            ("INSERT INTO message (author_id, text, pub_date, flagged) VALUES (?, ?, ?, 0)",
             (one, f"text {number}", number)),
            (f"UPDATE message SET text = ?, flagged = 1 WHERE message_id = {newest} - ?",
             (f"changed {number}", self.dice.randint(0, 500))),
            (f"DELETE FROM message WHERE message_id = {newest} - ?", (self.dice.randint(0, 500),)),
            ("INSERT INTO follower VALUES (?, ?)", (one, other)),
            ("DELETE FROM follower WHERE rowid = (SELECT max(rowid) FROM follower)", ()),
            ("UPDATE follower SET whom_id = ? WHERE rowid = (SELECT max(rowid) FROM follower)",
             (other,)),
            ("INSERT INTO user (username, email, pw_hash) VALUES (?, ?, ?)",
             (f"New {number}", "n@n", HASH)),
            ("UPDATE user SET username = ? WHERE user_id = ?", (f"Renamed {number}", one)),
            ("DELETE FROM user WHERE user_id = (SELECT max(user_id) FROM user)", ()),
        ))  # fmt: skip
        connection.execute(statement, values)
