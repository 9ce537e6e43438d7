"""Hostile files and surroundings: any id, any sequence, any place for the rejects, any shell."""

from __future__ import annotations

import json
import sqlite3
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.transfer import command
from app.transfer.move import Move
from app.transfer.problems import TransferError
from app.transfer.source import Source
from app.transfer.tables import USERS
from app.transfer.target import Target
from tests.parts import FOREIGN_PG, PATIENCE, PostgresServer
from tests.transfer.sides import Import, message, rejects, rows, user

LAST = 2**63 - 1
Act = Callable[..., int]


@pytest.fixture
def act(url: str, postgres_server: PostgresServer, tmp_path: Path) -> Act:
    """The command within this process; TransferError is its one line."""

    def act(*arguments: str) -> int:
        command.declare(parser := ArgumentParser())
        options = parser.parse_args([str(tmp_path / "minitwit.db"), *arguments])
        return command.run(postgres_server.import_url(url), options)

    return act


def people(source: sqlite3.Connection, *ids: int) -> None:
    for number in ids:
        source.execute("INSERT INTO user VALUES (?, ?, 'e', 'h')", (number, f"user {number}"))


@pytest.mark.parametrize("ids", [(-(2**63), 1), (1, 1_700_000_000_000_000_000), (-(2**63),)])
def test_differences_far_apart_are_named_and_writers_go_on(
    ids: tuple[int, ...], source: sqlite3.Connection, url: str, tmp_path: Path
) -> None:
    people(source, *ids)
    source.execute("INSERT INTO follower VALUES (?, ?)", (ids[0], ids[-1]))
    named, path = list[tuple[object, ...]](), tmp_path / "minitwit.db"

    def compare() -> None:
        with closing(Move(Source(path), Target(url))) as move:
            move.copy()
            move.target.db.execute("UPDATE users SET email = 'other' WHERE id = %s", [ids[-1]])
            move.target.db.execute("DELETE FROM follows")
            with pytest.raises(TransferError, match="import into an empty database"):
                move.switch()
            with closing(sqlite3.connect(path, timeout=0)) as other, other:
                people(other, 2)  # nothing is locked
            move.follow()
            named.extend(check.keys for check in move.verify())

    thread = threading.Thread(target=compare, daemon=True)
    thread.start()
    thread.join(PATIENCE / 3)
    assert named == [((ids[-1],),), (), ((ids[0], ids[-1]),)]


def test_each_of_many_differences_is_found_and_ten_are_named(
    source: sqlite3.Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.transfer.move.PAGE", 3)
    people(source, *range(1, 21))
    source.executemany("INSERT INTO follower VALUES (?, ?)", [(1, n) for n in range(1, 21)])
    with closing(Move(Source(tmp_path / "minitwit.db"), Target(url))) as move:
        move.copy()
        move.target.db.execute("DELETE FROM follows WHERE followee_id > 4")
        move.target.db.execute("UPDATE users SET email = 'other' WHERE id IN (1, 20)")
        move.target.db.execute("INSERT INTO users (id, username, email, pw_hash)"
                               " VALUES (21, 'n', 'e', 'h')")  # fmt: skip
        users, _, follows = move.verify()
    assert users.keys == ((1,), (20,), (21,))
    assert follows.keys == tuple((1, n) for n in range(5, 15))


def test_the_lowest_id_arrives_and_the_highest_are_rejected(
    source: sqlite3.Connection, url: str, act: Act, tmp_path: Path
) -> None:
    fine = [-(2**63), -1, 2**62]
    people(source, *fine, 2**62 + 1, LAST - 1, LAST)
    for number in (*fine, LAST):
        source.execute("INSERT INTO message VALUES (?, ?, 'text', 1, 0)", (number, fine[0]))
    source.execute("INSERT INTO follower VALUES (?, ?)", (fine[0], LAST))
    assert act("--dry-run") == 3
    foreseen = rejects(tmp_path)
    with pytest.raises(TransferError, match="5 rows would not be moved"):
        act("--cut-over")
    assert act("--cut-over", "--accept-rejects", "5") == 3
    high = "is too high: too few ids would be left for new rows"
    expected: dict[tuple[object, ...], str] = {
        ("users", 2**62 + 1): f"user_id {high}",
        ("users", LAST - 1): f"user_id {high}",
        ("users", LAST): f"user_id {high}",
        ("messages", LAST): f"message_id {high}",
        ("follows", fine[0], LAST): "whom_id: no such user was moved",
    }
    assert rejects(tmp_path) == foreseen == expected
    for table in ("users", "messages"):
        assert rows(url, f"SELECT id FROM {table} ORDER BY id") == [(n,) for n in fine]
        assert rows(url, f"SELECT nextval('{table}_id_seq')") == [(2**62 + 1,)]


@pytest.mark.parametrize("used", [None, "17", "seventeen", b"\xff", 1e300, LAST, -5])
def test_whatever_the_sequences_hold_new_ids_follow(
    used: object, source: sqlite3.Connection, tmp_path: Path
) -> None:
    people(source, 7)
    source.execute("UPDATE sqlite_sequence SET seq = ?, name = 'USER'", (used,))
    assert Source(tmp_path / "minitwit.db").last_id(USERS) == (17 if used == "17" else 7)


def test_without_a_place_for_the_rejects_nothing_is_switched(
    source: sqlite3.Connection, act: Act, tmp_path: Path
) -> None:
    people(source, 1)
    message(source, 1, "when?", None, 0)
    (tmp_path / "folder").mkdir()
    for place in ("nowhere/x.jsonl", "minitwit.db", "minitwit.db/x", "folder", "/dev/full"):
        with pytest.raises(TransferError, match=place):
            act("--cut-over", "--accept-rejects", "1", "--rejects", str(tmp_path / place))
        message(source, 1, "goes on", 1, 0)
    assert act("--cut-over", "--accept-rejects", "1", "--rejects", "/dev/null") == 3
    assert Path("/dev/null").is_char_device()


def test_the_list_of_rejects_is_for_its_owner_and_holds_the_rows_as_they_were(
    source: sqlite3.Connection, act: Act, tmp_path: Path
) -> None:
    people(source, 1)
    source.execute("DROP TABLE message")
    source.execute("CREATE TABLE message (message_id integer, author_id, text, pub_date, flagged)")
    dates = ["last Tuesday", 18.5, "9" * 20, None, b"\xff", float("inf")]
    for number, date in enumerate(dates):
        source.execute("INSERT INTO message VALUES (?, 1, 'when?', ?, 7)", (number, date))
    file = tmp_path / "minitwit.db.rejects.jsonl"
    file.write_text("of an earlier try")
    file.chmod(0o644)
    assert act("--dry-run") == 3
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(x, parse_constant=pytest.fail) for x in file.read_text().splitlines()]
    shown = [*dates[:4], "\\xff", "inf"]
    assert {row["key"][0]: row["row"]["pub_date"] for row in lines} == dict(enumerate(shown))
    assert {row["row"]["flagged"] for row in lines} == {7}


def test_an_id_that_stands_twice_is_one_plain_line(source: sqlite3.Connection, act: Act) -> None:
    source.execute("DROP TABLE user")
    source.execute("CREATE TABLE user (user_id integer, username, email, pw_hash)")
    people(source, 5, 5)
    with pytest.raises(TransferError, match="several rows of user have the user_id 5"):
        act("--cut-over")


def test_text_arrives_whatever_encoding_and_schema_the_shell_names(
    source: sqlite3.Connection, url: str, run: Import
) -> None:
    name = "ål \N{CHRISTMAS TREE}"
    user(source, name)
    message(source, 1, name, 1, 0)
    done = run("--cut-over", **FOREIGN_PG)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(url, "SELECT username, text FROM users, messages") == [(name, name)]
