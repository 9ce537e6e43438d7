"""What users do, done by the real Blackbox: it works, it is in nobody's way, and it can fail."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from observability import catalog
from observability.exporters import PROBE_SUCCESS
from observability.stack.targets import PROBE_USER
from tests.parts import request, wait_for
from tests.stack.platform import Platform

pytestmark = pytest.mark.stack
PARTS = ("postgres", "migrate", "blackbox", "prometheus", "api", "web")
DONE = {"user-login", "user-post", "user-timeline"}
ASKED = {"api-ready", "web-public", "prometheus-ready"}


@pytest.fixture(scope="module")
def site() -> Iterator[Platform]:
    """MiniTwit without any load, seen from outside."""
    with tempfile.TemporaryDirectory(prefix="minitwit-probes-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        try:
            platform.up(*PARTS)
            yield platform
        finally:
            platform.down()


@pytest.fixture(scope="module")
def database(site: Platform) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    address = (site.settings.secrets / "database_url").read_text()
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


def results(site: Platform) -> dict[str, bool]:
    return {labels["probe"]: value == 1 for labels, value in site.prometheus(PROBE_SUCCESS.name)}


def passing(site: Platform) -> set[str]:
    return {probe for probe, good in results(site).items() if good}


def count(database: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    [found] = database.execute(query.encode()).fetchone() or (None,)
    return found


def test_they_succeed_and_are_counted_nowhere(
    site: Platform, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    wait_for("all probes", lambda: passing(site) == DONE | ASKED, 40)
    made = "SELECT count(*) FROM messages WHERE text = 'a probe'"
    wait_for("posts and log-ins", lambda: int(str(count(database, made))) >= 3, 30)
    assert count(database, "SELECT count(*) FROM sessions") != 0
    assert count(database, "SELECT count(*) FROM login_attempts") == 0
    for metric in (catalog.LOGINS, catalog.MESSAGES, catalog.REGISTRATIONS):
        [(_, value)] = site.prometheus(f"sum({metric})")
        assert value == 0, metric
    assert site.prometheus(catalog.ACTIVE_USERS.name)[0][1] == 0
    assert request("GET", site.url("api") + "/api/timelines/public").json()["messages"] == []
    expected = f"{len(DONE | ASKED)} probes succeed"
    wait_for("a good status", lambda: expected in site.status(wait=0)[1]["blackbox"], 30)


def test_each_notices_what_only_its_user_sees(
    site: Platform, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    """The services call themselves ready all the while, and so does what only asks them."""
    update = "UPDATE users SET {} WHERE username = '{}'"
    database.execute(update.format("pw_hash = 'x'", PROBE_USER).encode())
    wait_for("a refused log-in", lambda: results(site)["user-login"] is False, 30)
    assert passing(site) == {*ASKED, "user-post", "user-timeline"}
    status, rows = site.status(wait=0)
    assert status == 1
    assert "probe fails: user-login" in rows["blackbox"]
    database.execute(update.format("username = 'gone'", PROBE_USER).encode())
    wait_for("nobody there", lambda: passing(site) == ASKED, 30)
