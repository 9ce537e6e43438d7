"""What the environment may say, and ports that are taken."""

from __future__ import annotations

import os
import re
import resource
import socket
from pathlib import Path

import pytest

from observability.stack.components import COMPONENTS, TABLE, choose
from observability.stack.local import passwords, ports, roles
from observability.stack.local.address import Chosen, parse
from observability.stack.local.control import bound_path
from observability.stack.local.env_variables import forget_libpq, inherited, passed, spare_loopback
from observability.stack.programs import tools
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
        ("postgresql://u@db/x?sslmode=verify-full", "db:5432/x?sslmode=verify-full"),
        ("postgresql://u@[::1]/x", "[::1]:5432/x?sslmode=disable"),
        ("postgresql://u@a:1,b:2/x?target_session_attrs=read-write", "a:1/x?sslmode=disable"),
        ("postgresql://u@/x?host=/run/pg", "/x?host=%2Frun%2Fpg&port=5432&sslmode=disable"),
        ("postgresql://u@%2Frun%2Fpg/x", "/x?host=%2Frun%2Fpg&port=5432&sslmode=disable"),
    ],
)
def test_the_exporter_gets_the_address_without_the_password(url: str, uri: str) -> None:
    assert parse(url).exporter() == uri


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://u:p@a:1,b/x", "a,b:1,5432"),
        ("postgresql://u:p@a,b:7/x", "a,b:5432,7"),
        ("postgresql:///x?host=/run/pg&user=u", "/run/pg:5432"),
    ],
)
def test_the_backup_gets_several_hosts_or_a_socket(url: str, address: str) -> None:
    assert parse(url).libpq["database_address"] == address
    assert parse(url).user == "u"


@pytest.mark.parametrize("bad", ["postgresql://[::1/x", "nonsense", "host=a,b port=1,2,3"])
def test_an_address_that_is_none_is_named(bad: str) -> None:
    with pytest.raises(StackError, match="DATABASE_URL"):
        parse(bad)


def test_every_setting_of_the_services_is_passed_by_its_name_so_that_a_change_is_noticed() -> None:
    read = set(re.findall(r'"([A-Z][A-Z_]{3,})"', (ROOT / "app/settings.py").read_text()))
    component = {name for one in TABLE for name in one.env}
    own = {name for name in read if name in component or f"{name}_FILE" in component}
    shell = dict.fromkeys(read - own, "1")
    kept = passed(shell)
    assert not [name for name in inherited(shell) if name in read - kept.keys()]


def test_only_what_is_named_is_inherited() -> None:
    shell = {
        "PGSSLMODE": "verify-full", "PGSERVICE": "other", "PGCLIENTENCODING": "LATIN1",
        "PYTHONPATH": "/x", "LC_ALL": "de_DE.ISO-8859-1", "DATABASE_URL": "x", "PORT": "1",
        "PROMETHEUS_MULTIPROC_DIR": "/x", "FORWARDED_ALLOW_IPS": "*", "KEEP": "1", "GODEBUG": "x",
        "LOG_LEVEL": "debug", "HOME": "/root", "https_proxy": "http://proxy", "CDPATH": "/x",
    }  # fmt: skip
    assert inherited(shell) == {
        "HOME": "/root", "https_proxy": "http://proxy", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    assert passed(shell) == {"LOG_LEVEL": "debug"}
    forget_libpq(shell)
    assert not [name for name in shell if name.startswith("PG")]


@pytest.mark.parametrize(
    ("shell", "direct"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "intern"}, "intern,127.0.0.1,localhost,::1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_components_reach_each_other_without_the_proxy(shell: dict[str, str], direct: str) -> None:
    spare_loopback(shell)
    assert inherited(shell)["no_proxy"] == direct


def test_an_old_exporter_is_not_asked_for_what_postgresql_moved() -> None:
    """Debian's 0.11 logs an error at each scrape of PostgreSQL 17 and newer otherwise."""
    exporter = tools.TOOLS["postgres-exporter"]
    assert tools.flags_for(exporter, (0, 11, 1)) == ("--no-collector.bgwriter",)
    assert tools.flags_for(exporter, (0, 20, 1)) == exporter.flags


def test_the_socket_is_short_wherever_the_checkout_is() -> None:
    assert len(bytes(bound_path(Path("/deep" * 60)))) + len(".1234567") <= 107


def test_the_holder_of_a_port_is_told() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        assert not ports.listener(port)
        server.listen()
        assert ports.taken(port)
        if Path("/proc/net/tcp").exists():
            assert f"(pid {os.getpid()})" in ports.listener(port)
    assert not ports.taken(port)


@pytest.mark.parametrize("asked", ["sslcrl=/x", "hostaddr=10.0.0.1", "channel_binding=require"])
def test_what_the_exporter_cannot_obey_is_refused(asked: str) -> None:
    with pytest.raises(StackError, match=asked.partition("=")[0]):
        parse(f"postgresql://u@a/x?{asked}")


def test_libpq_is_told_everything_but_who_and_the_password() -> None:
    url = "postgresql://u:secret@a:1,b/x?sslmode=verify-full&sslrootcert=/ca"
    assert parse(url).service == (
        "[minitwit]\nhost=a,b\nport=1,5432\nsslmode=verify-full\nsslrootcert=/ca\n"
    )
    assert parse(url).exporter() == "a:1/x?sslmode=verify-full&sslrootcert=%2Fca"
    assert parse("postgresql://u@a/x").exporter(Chosen("a", "5432", tls=True)) == (
        "a:5432/x?sslmode=require"
    )


def test_a_secret_outlives_a_full_disk(tmp_path: Path) -> None:
    """A file that cannot grow stands for it."""
    roles.secret(tmp_path, "key", "old")
    _, hard = limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        roles.secret(tmp_path, "key", "old")
        with pytest.raises(OSError, match="large"):
            roles.secret(tmp_path, "key", "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
    roles.secret(tmp_path, "key", "new")
    assert (tmp_path / "key").read_text() == "new"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_the_dead_mans_switch_is_given_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is after ``make up``, with the setting and without."""
    (tmp_path / "url").write_text("http://127.0.0.1:1/hook\n")
    for file, found in ((str(tmp_path / "url"), "http://127.0.0.1:1/hook"), ("", "")):
        monkeypatch.setenv("DEADMAN_URL_FILE", file)
        passwords.write(tmp_path)
        assert (tmp_path / "deadman_url").read_text() == found
    assert COMPONENTS["deadman"].env["DEADMAN_URL_FILE"] == "{secrets}/deadman_url"


@pytest.mark.parametrize("given", ["DEADMAN_URL", "DEADMAN_URL_FILE"])
@pytest.mark.parametrize("bad", ["hooks.example.com/token", "ftp://a/token", "http://a b/token"])
def test_an_address_of_the_switch_that_is_none_is_refused_and_not_shown(
    given: str, bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "url").write_text(bad)
    monkeypatch.setenv(given, bad if given == "DEADMAN_URL" else str(tmp_path / "url"))
    with pytest.raises(StackError, match=r"^DEADMAN_URL must be an http or https URL$"):
        passwords.write(tmp_path)


@pytest.mark.parametrize(
    "good",
    ["http://a", "https://a.example:8443/x?key=1&to=%20#x", "http://[::1]:80/", "http://a?x"],
)
def test_an_address_of_the_switch_may_have_port_and_query(
    good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEADMAN_URL", good)
    passwords.write(tmp_path)
    assert (tmp_path / "deadman_url").read_text() == good
