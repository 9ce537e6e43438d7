"""What the environment may say, and ports that are taken."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from observability.stack.components import TABLE, choose
from observability.stack.local import ports
from observability.stack.local.layout import _exporter_uri, socket_path
from observability.stack.settings import HIGHEST_OFFSET, ROOT, StackError, load


@pytest.mark.parametrize("bad", ["-1", "ten", "65000", "1.5"])
def test_a_bad_offset_is_named(bad: str) -> None:
    with pytest.raises(StackError, match=f"PORT_OFFSET.*{bad}"):
        load({"PORT_OFFSET": bad})


@pytest.mark.parametrize("bad", ["mirror.example", "ftp://mirror.example", "file:mirror"])
def test_a_bad_mirror_is_named(bad: str) -> None:
    with pytest.raises(StackError, match=f"MINITWIT_MIRROR.*{bad}"):
        load({"MINITWIT_MIRROR": bad})


def test_the_highest_offset_still_gives_ports() -> None:
    assert max(component.port for component in TABLE) + HIGHEST_OFFSET == 65535


def test_state_lies_in_the_checkout_unless_told_otherwise(tmp_path: Path) -> None:
    assert load({}).run_dir == ROOT / ".run"
    assert load({"RUN_DIR": str(tmp_path)}).run_dir == tmp_path


def test_the_database_may_be_given_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://db/x\n")
    assert load({"DATABASE_URL_FILE": str(tmp_path / "url")}).database_url == "postgresql://db/x"
    with pytest.raises(StackError, match="DATABASE_URL_FILE"):
        load({"DATABASE_URL_FILE": str(tmp_path / "none")})


def test_a_given_database_replaces_our_own() -> None:
    assert "postgres" in {component.name for component in choose((), "")}
    assert "postgres" not in {component.name for component in choose((), "postgresql://db/x")}


def test_an_unknown_component_is_named() -> None:
    with pytest.raises(StackError, match="grafanna"):
        choose(["grafanna"], "")


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("postgresql://u:p%40@db:5432/x", "db:5432/x?sslmode=disable"),
        ("postgresql://u@db/x?sslmode=verify-full", "db/x?sslmode=verify-full"),
    ],
)
def test_the_exporter_gets_the_address_without_the_password(url: str, uri: str) -> None:
    assert _exporter_uri(url) == uri


def test_the_socket_is_short_wherever_the_checkout_is() -> None:
    assert len(bytes(socket_path(Path("/deep" * 60)))) + len(".1234567") <= 107


def test_the_holder_of_a_port_is_told() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        assert not ports.holder(port)
        server.listen()
        assert ports.taken(port)
        if Path("/proc/net/tcp").exists():
            assert f"(pid {os.getpid()})" in ports.holder(port)
    assert not ports.taken(port)
