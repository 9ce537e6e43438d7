"""The simulator against the real service."""

import asyncio
import json
from pathlib import Path

import psycopg
import pytest

from simulator.cli import main
from simulator.client import Client
from simulator.generator import generate
from simulator.reader import Reader
from simulator.scenario import Action, State, expected
from simulator.verify import differences
from simulator.wire import Address, Wire
from tests.parts import Service

ACTIONS = 900


def play(api: Service, *arguments: str) -> int:
    """Generous with time: this is about what happens, on a machine that has other work."""
    return main(["--url", api.url, "--max", "--timeout", "10", *arguments])


def test_the_final_state_is_exactly_as_computed(
    api: Service, database_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Interrupted half-way, resumed with many clients, and compared over HTTP and in SQL."""
    file = tmp_path / "report.json"
    assert play(api, "--actions", str(ACTIONS), "--seed", "4", "--write", str(tmp_path / "s")) == 0
    rows = (tmp_path / "s").read_bytes().splitlines(keepends=True)
    (tmp_path / "half").write_bytes(b"".join(rows[: ACTIONS // 2]))
    assert play(api, "--file", str(tmp_path / "half"), "--verify") == 0, capsys.readouterr().out

    options = ["--resume", "--clients", "12", "--verify", "--report", str(file)]
    status = play(api, "--actions", str(ACTIONS), "--seed", "4", *options)
    assert status == 0, capsys.readouterr().out
    assert "exactly what the scenario leaves" in capsys.readouterr().out
    report = json.loads(file.read_text())
    assert report["actions"] == ACTIONS - ACTIONS // 2
    assert report["first_id"] == ACTIONS // 2
    assert report["differences"] == []

    state = expected(generate(4, ACTIONS))
    with psycopg.connect(database_url) as connection:
        users, messages, edges = connection.execute(
            "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM messages),"
            " (SELECT count(*) FROM follows)"
        ).fetchone() or (0, 0, 0)
    assert users == len(state.users)
    assert messages == sum(held.total() for held in state.messages.values())
    assert edges == len(state.edges)


def test_a_second_time_every_difference_is_found(
    api: Service, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The same again leaves each message twice, and registrations are answered 400."""
    assert play(api, "--actions", str(ACTIONS), "--seed", "4", "--verify") == 1
    out = capsys.readouterr().out
    assert " 0 errors;" in out
    assert "messages too many" in out
    assert "exactly" not in out
    assert out.count("difference: ") == 10
    assert "more differences" in out


def test_differences_are_named(api: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """What a server lost must be told, user by user."""
    state = expected(
        [
            Action(0, 0, "", "register", "Nobody Atall", ("a@b", "p")),
            *(a for a in generate(4, ACTIONS) if a.command != "unfollow"),
        ]
    )
    lines = asyncio.run(_differences(api, state))
    assert "Nobody Atall: no such user" in lines
    assert any(": does not follow " in line for line in lines)
    assert "latest is 899, expected 5" in lines


async def _differences(api: Service, state: State) -> list[str]:
    address = Address.parse(api.url)
    reader = Reader(Wire(address, "simulator", "super_safe!", False), Client(address, 10))
    return await differences(state, reader, latest=5)


def test_wrong_credentials_are_errors(api: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(api, "--actions", "30", "--password", "wrong") == 1
    assert "403:" in capsys.readouterr().out
