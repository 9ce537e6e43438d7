"""Each row arrives unchanged, or is in the file of rejects with the reason."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.transfer.move import Move
from app.transfer.source import Source
from app.transfer.target import Target
from tests.parts import PostgresServer
from tests.transfer import old
from tests.transfer.sides import Import, message, rejects, rows, user


def test_whatever_is_odd_is_moved_or_rejected_with_a_reason(
    source: sqlite3.Connection, url: str, run: Import, tmp_path: Path
) -> None:
    quoted = "o'neil \\ \"\t\n\r"
    odd = ("n\0l", b"\xff\xfe", "", quoted, "x" * 3000)
    for name in ("ann", "007", "1e3", 0.1234567890123456, "ann", *odd):
        user(source, name)
    for author, text, date, flagged in (
        (1, "fine", 10, 0), (1, "hidden", 11, 1), (1, "never shown", 12, None), (1, 42, 13, 0),
        (99, "whose?", 14, 0), (5, "of a second ann", 15, 0), (1, "when?", None, 0),
        (1, "a\0b", 16, 0), (1, b"\x80", 17, 0), (1, "later", 18.5, 0), (1, "\\N", 19, 0),
    ):  # fmt: skip
        message(source, author, text, date, flagged)
    for pair in ((1, 2), (1, 2), (2, 1), (1, 99), (None, 1)):
        source.execute("INSERT INTO follower VALUES (?, ?)", pair)

    done = run("--cut-over", "--accept-rejects", "13")
    assert done.returncode == 3, done.stderr
    assert rows(url, "SELECT id, username FROM users ORDER BY id") == [
        (1, "ann"), (2, "7"), (3, "1000"), (4, "0.1234567890123456"), (8, ""), (9, quoted),
    ]  # fmt: skip
    assert rows(url, "SELECT id, text, flagged FROM messages ORDER BY id") == [
        (1, "fine", False), (2, "hidden", True), (3, "never shown", True), (4, "42", False),
        (11, "\\N", False),
    ]  # fmt: skip
    assert rows(url, "SELECT follower_id, followee_id FROM follows ORDER BY 1, 2") == [
        (1, 2),
        (2, 1),
    ]
    assert rejects(tmp_path) == {
        ("users", 5): "an older user has this name",
        ("users", 6): "username contains a NUL character",
        ("users", 7): "username is no UTF-8",
        ("users", 10): "username is too long to be unique",
        ("messages", 5): "author_id: no such user was moved",
        ("messages", 6): "author_id: no such user was moved",
        ("messages", 7): "pub_date is NULL",
        ("messages", 8): "text contains a NUL character",
        ("messages", 9): "text is no UTF-8",
        ("messages", 10): "pub_date is no whole number and no date",
        ("follows", 1, 2): "stands there 2 times, moved once",
        ("follows", 1, 99): "whom_id: no such user was moved",
        ("follows", None, 1): "one side is NULL",
    }
    assert (tmp_path / "minitwit.db.rejects.jsonl").stat().st_mode & 0o777 == 0o600
    assert rows(url, "SELECT nextval('users_id_seq'), nextval('messages_id_seq')") == [(11, 12)]
    with pytest.raises(sqlite3.IntegrityError, match="has moved to PostgreSQL"):
        user(source, "late")


def test_a_dry_run_says_the_same_and_touches_nothing(
    source: sqlite3.Connection, url: str, run: Import, tmp_path: Path
) -> None:
    user(source, "ann")
    user(source, "ann")
    message(source, 2, "of the second", 1, 0)
    before = (tmp_path / "minitwit.db").read_bytes()
    done = run("--dry-run")
    assert done.returncode == 3
    assert (tmp_path / "minitwit.db").read_bytes() == before
    assert rejects(tmp_path) == {
        ("users", 2): "an older user has this name",
        ("messages", 1): "author_id: no such user was moved",
    }
    assert rows(url, "SELECT FROM users UNION ALL SELECT FROM sqlite_import") == []


def test_dates_of_every_kind_arrive_as_seconds(
    source: sqlite3.Connection, url: str, run: Import
) -> None:
    user(source, "ann")
    source.execute("DROP TABLE message")
    source.execute(
        "CREATE TABLE message (message_id integer primary key, author_id integer, text, pub_date,"
        " flagged)"
    )
    expected = 1_707_729_301
    for date in (
        expected, float(expected), str(expected), "2024-02-12 09:15:01", "2024-02-12T09:15:01Z",
        "2024-02-12 09:15:01.123456", "2024-02-12T10:15:01+01:00",
    ):  # fmt: skip
        message(source, 1, "text", date, 0)
    done = run("--cut-over")
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(url, "SELECT pub_date FROM messages") == [(expected,)] * 7


def test_any_id_arrives(source: sqlite3.Connection, url: str, run: Import) -> None:
    ids = [-5, 0, 1, 2**40]
    for number in ids:
        source.execute("INSERT INTO user VALUES (?, ?, 'e', 'h')", (number, f"user {number}"))
        source.execute("INSERT INTO message VALUES (?, ?, 'text', 1, 0)", (number, number))
    done = run("--cut-over")
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(url, "SELECT id, author_id FROM messages ORDER BY id") == [(n, n) for n in ids]


def test_a_database_in_utf_16_arrives(url: str, run: Import, tmp_path: Path) -> None:
    texts = ["plain", "Grüße", "日本", "👍"]
    with closing(sqlite3.connect(tmp_path / "minitwit.db", isolation_level=None)) as source:
        source.execute("PRAGMA encoding = 'UTF-16le'")
        source.executescript(old.SCHEMA)
        user(source, "ann")
        for text in texts:
            message(source, 1, text, 1, 0)
        assert run("--cut-over").returncode == 0
    assert [row[0] for row in rows(url, "SELECT text FROM messages ORDER BY id")] == texts


def test_both_sides_can_be_compared_after_the_switch(
    source: sqlite3.Connection, url: str, run: Import
) -> None:
    user(source, "ann")
    message(source, 1, "text", 1, 0)
    message(source, 1, "other", 1, 0)
    assert run("--cut-over").returncode == 0
    assert run("--verify").returncode == 0
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE messages SET text = 'tampered' WHERE id = 2")
    done = run("--verify")
    assert done.returncode == 1
    assert "rows that differ: 2\n" in done.stdout


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
        min_size=1,
        max_size=20,
    )
)
def test_text_of_all_planes_survives_byte_for_byte(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("text")
    with closing(old.create(folder / "minitwit.db")) as source:
        user(source, "ann")
        for text in texts:
            # A blob keeps what would else become a number.
            message(source, 1, text.encode(), 1, 0)
    url = postgres_server.create_database(f"text{folder.name}")
    target = Target(postgres_server.import_url(url))
    with closing(Move(Source(folder / "minitwit.db"), target)) as move:
        move.copy()
        checks, _ = move.switch()
    assert all(check.equal for check in checks)
    assert [row[0] for row in rows(url, "SELECT text FROM messages ORDER BY id")] == texts


def test_all_planes_of_unicode(source: sqlite3.Connection, url: str, run: Import) -> None:
    user(source, "ann")
    planes = ["".join(map(chr, range(plane + 1, plane + 0x10000, 997))) for plane in
              range(0, 0x110000, 0x10000)]  # fmt: skip
    planes = ["".join(c for c in text if not "\ud800" <= c <= "\udfff") for text in planes]
    for text in planes:
        message(source, 1, text, 1, 0)
    assert run("--cut-over").returncode == 0
    assert [row[0] for row in rows(url, "SELECT text FROM messages ORDER BY id")] == planes
