"""Data of a chosen size: users who follow each other, messages evenly spread among authors.

On a small table fewer write, so that each still has more than a page: a timeline that merges
authors has the same work there as on a large one.
"""

from __future__ import annotations

import hashlib

import psycopg

from app.database.messages import PAGE

USERS = 1_000
FOLLOWS = 10  # of each user
TOKEN = "bench-token-of-the-first-user"


def name(number: int) -> str:
    """A user's name."""
    return f"user{number}"


def fill(url: str, messages: int) -> None:
    """Put ``messages`` into an empty, migrated database, with users, follows and one session."""
    authors = max(1, min(USERS, messages // (PAGE + 1)))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO users (username, email, pw_hash)"
            " SELECT 'user' || n, 'u@example.org', '' FROM generate_series(0, %s) n",
            (USERS - 1,),
        )
        connection.execute(
            "INSERT INTO follows SELECT u.id, u.id %% %s + 1 + d FROM users u,"
            " generate_series(1, %s) d WHERE u.id %% %s + 1 + d <= %s",
            (USERS - FOLLOWS - 2, FOLLOWS, USERS - FOLLOWS - 2, USERS),
        )
        connection.execute(
            "INSERT INTO messages (author_id, text, pub_date)"
            " SELECT 1 + n %% %s, 'message ' || n || ' with the usual forty or so letters',"
            " 1700000000 + n FROM generate_series(1, %s) n",
            (authors, messages),
        )
        connection.execute(
            "INSERT INTO sessions SELECT %s, 1, now() + interval '1 day'",
            (hashlib.sha256(TOKEN.encode()).digest(),),
        )
        connection.execute("VACUUM ANALYZE")
