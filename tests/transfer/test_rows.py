"""Each row arrives unchanged, or is in the file of rejects with the reason."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.passwords import Passwords
from app.transfer.move import Move
from app.transfer.source import Source
from app.transfer.target import Target
from tests.parts import ROOT, PostgresServer
from tests.transfer import old

Import = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def url(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> str:
    """An empty database of one's own."""
    return postgres_server.create_database(f"moved{abs(hash(request.node.name))}")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = old.create(tmp_path / "minitwit.db")
    yield connection
    connection.close()


@pytest.fixture
def run(url: str, postgres_server: PostgresServer, tmp_path: Path) -> Import:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        file = str(tmp_path / "minitwit.db")
        return subprocess.run(
            [sys.executable, "-m", "app", "import-sqlite", file, *arguments],
            cwd=ROOT,
            env={"DATABASE_URL": postgres_server.import_url(url), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def rejects(folder: Path) -> dict[tuple[Any, ...], str]:
    lines = (folder / "minitwit.db.rejects.jsonl").read_text().splitlines()
    return {(row["table"], *row["key"]): row["reason"] for row in map(json.loads, lines)}


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def user(source: sqlite3.Connection, name: object, email: object = "e@e") -> None:
    source.execute("INSERT INTO user (username, email, pw_hash) VALUES (?, ?, 'x')", (name, email))


def message(source: sqlite3.Connection, author: object, *rest: object) -> None:
    values = (author, *rest)
    source.execute(
        "INSERT INTO message (author_id, text, pub_date, flagged) VALUES (?, ?, ?, ?)", values
    )


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


def test_with_rejects_the_source_stays_open(
    source: sqlite3.Connection, url: str, run: Import, tmp_path: Path
) -> None:
    user(source, "ann")
    for _ in range(3):
        message(source, 1, "when?", "last Tuesday", 0)
    for arguments in ((), ("--accept-rejects", "2"), ("--accept-rejects", "4")):
        done = run("--cut-over", *arguments)
        assert done.returncode == 1, done.stdout
        assert "3 rows would not be moved" in done.stderr
        assert len(rejects(tmp_path)) == 3
        message(source, 1, "goes on", 1, 0)
    assert run("--cut-over", "--accept-rejects", "3").returncode == 3
    assert rows(url, "SELECT count(*) FROM messages") == [(3,)]


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


def test_a_dry_run_names_who_could_not_log_in(source: sqlite3.Connection, run: Import) -> None:
    for digest in (old.HASH, "sha1$salt$" + "0" * 40, "rot13$salt$abc", "plain text"):
        source.execute("INSERT INTO user VALUES (NULL, ?, 'e', ?)", (digest, digest))
    done = run("--dry-run")
    assert "2 users have a password hash of unknown format: user_id 3, 4\n" in done.stdout


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


def test_old_passwords_still_open_the_door(
    source: sqlite3.Connection, url: str, run: Import
) -> None:
    from werkzeug.security import generate_password_hash

    known = generate_password_hash("swordfish", method="pbkdf2:sha256:1000")
    source.execute("INSERT INTO user (username, email, pw_hash) VALUES ('a', 'b', ?)", (known,))
    assert run("--cut-over").returncode == 0
    [(moved,)] = rows(url, "SELECT pw_hash FROM users")
    assert asyncio.run(Passwords(1).verify(moved, "swordfish"))


@pytest.mark.parametrize("method", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("salt", ["aBcDeFgH", ""])
def test_hashes_of_the_first_years_verify_and_are_replaced(method: str, salt: str) -> None:
    """As werkzeug 0.8 made them: an HMAC whose key is the salt."""
    keyed = hmac.new(salt.encode(), b"swordfish", method)
    made = keyed if salt else hashlib.new(method, b"swordfish")
    known, passwords = f"{method}${salt}${made.hexdigest()}", Passwords(1)
    assert asyncio.run(passwords.verify(known, "swordfish"))
    assert not asyncio.run(passwords.verify(known, "sword fish"))
    assert passwords.outdated(known)


@pytest.mark.parametrize(
    ("prepare", "complaint"),
    [
        ("CREATE TABLE other (x)", "no MiniTwit of SQLite"),
        ("nothing", "there is no such file"),
        (
            old.SCHEMA.replace("autoincrement,", ",").replace(");", ") WITHOUT ROWID;", 1),
            "user is WITHOUT ROWID",
        ),
        (
            old.SCHEMA.replace("integer primary key autoincrement", "int primary key")
            + "INSERT INTO user VALUES (NULL, 'a', 'b', 'c')",
            "1 rows of user have no whole number as user_id",
        ),
    ],
)
def test_a_file_that_cannot_be_it_is_one_plain_line(
    prepare: str, complaint: str, run: Import, tmp_path: Path
) -> None:
    if prepare != "nothing":
        with closing(sqlite3.connect(tmp_path / "minitwit.db")) as connection:
            connection.executescript(prepare)
    done = run()
    assert done.returncode == 1
    assert complaint in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("--dry-run",), ("--cut-over",)])
def test_a_torn_page_is_one_plain_line(
    arguments: tuple[str, ...], source: sqlite3.Connection, run: Import, tmp_path: Path
) -> None:
    old.fill(source, 50, 2000, 10)
    size: int = source.execute("PRAGMA page_size").fetchone()[0]
    source.close()
    with (tmp_path / "minitwit.db").open("r+b") as file:
        file.seek(20 * size)
        file.write(b"\xff" * size)
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("import-sqlite: ")
    assert "Traceback" not in done.stderr


def test_a_database_that_was_not_migrated_is_said_so(
    source: sqlite3.Connection, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.create_database("bare", migrated=False)
    command = [sys.executable, "-m", "app", "import-sqlite", str(tmp_path / "minitwit.db")]
    done = subprocess.run(
        command, cwd=ROOT, env={"DATABASE_URL": url, "PATH": ""}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "run `python -m app migrate`" in done.stderr


def test_a_database_with_other_users_is_left_alone(
    source: sqlite3.Connection, url: str, run: Import
) -> None:
    user(source, "ann")
    with closing(Target(url).db) as db:
        db.execute("INSERT INTO users (username, email, pw_hash) VALUES ('b', 'b', 'b')")
    done = run("--cut-over")
    assert done.returncode == 1
    assert "has users already" in done.stderr
    assert rows(url, "SELECT username FROM users") == [("b",)]


def test_a_difference_stops_the_switch(
    source: sqlite3.Connection, url: str, run: Import, tmp_path: Path
) -> None:
    user(source, "ann")
    message(source, 1, "text", 1, 0)
    with closing(Move(Source(tmp_path / "minitwit.db"), Target(url))) as move:
        move.copy()
        move.target.db.execute("UPDATE messages SET text = 'tampered'")
    done = run("--cut-over")
    assert done.returncode == 1
    assert "not equal: messages; nothing was switched" in done.stderr
    assert "rows that differ: 1\n" in done.stdout
    message(source, 1, "goes on", 2, 0)
    assert run("--verify").returncode == 1
