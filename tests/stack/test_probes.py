"""Synthetic user journeys by the real Blackbox: they work, are isolated, can fail."""

from __future__ import annotations

import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
import yaml

from dashboards.queries import Prom
from dashboards.registry import DASHBOARDS
from observability import catalog
from observability.dashboard_uids import Board
from observability.exporters import PROBE_SUCCESS
from observability.stack.targets import PROBE_USER, PROBES
from tests.parts import PATIENT, get, wait_for
from tests.stack.platform import Platform

pytestmark = pytest.mark.stack
DAY = 86400
PARTS = ("postgres", "migrate", "blackbox", "prometheus", "api", "web")
DONE = {"user-login", "user-post", "user-timeline", "user-follows"}
OUTSIDE = next(board for board in DASHBOARDS if board.board is Board.OUTSIDE)
DISAGREE = "Probes and readiness disagree"
ASKED = {"api-ready", "web-public", "prometheus-ready"}


@pytest.fixture(scope="module")
def site() -> Iterator[Platform]:
    """MiniTwit without any load, seen from outside."""
    with tempfile.TemporaryDirectory(prefix="minitwit-probes-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        platform.environment |= PATIENT
        try:
            platform.up(*PARTS)
            yield platform
        finally:
            platform.down()


@pytest.fixture(scope="module")
def database(site: Platform) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    address = (site.settings.secrets / "owner_url").read_text()
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


def results(site: Platform) -> dict[str, bool]:
    return {labels["probe"]: value == 1 for labels, value in site.prometheus(PROBE_SUCCESS.name)}


def passing(site: Platform) -> set[str]:
    return {probe for probe, good in results(site).items() if good}


def panel(site: Platform, title: str) -> dict[str, float]:
    """What a panel of the dashboard from outside shows now: its one label, its value."""
    [query] = next(p.queries for p in OUTSIDE.panels() if p.core.title == title)
    assert isinstance(query, Prom)
    return {next(iter(row.values())): value for row, value in site.prometheus(query.expr.text)}


def nothing(site: Platform, query: str) -> bool:
    """Whether what is counted is there, and 0."""
    return [value for _, value in site.prometheus(query)] == [0]


def count(database: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    [found] = database.execute(query.encode()).fetchone() or (None,)
    return found


def test_they_succeed_and_are_counted_nowhere(
    site: Platform, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    wait_for("all probes", lambda: passing(site) == DONE | ASKED)
    made = "SELECT count(*) FROM messages WHERE text = 'a probe'"
    wait_for("posts and log-ins", lambda: int(str(count(database, made))) >= 3)
    assert count(database, "SELECT count(*) FROM sessions") != 0
    assert count(database, "SELECT count(*) FROM login_attempts") == 0
    for metric in (catalog.LOGINS, catalog.MESSAGES, catalog.REGISTRATIONS, catalog.ACTIVE_USERS):
        wait_for(f"no {metric}", partial(nothing, site, f"sum({metric})"))
    assert get(site.url("api") + "/api/timelines/public").json()["messages"] == []
    wait_for("agreement", lambda: panel(site, DISAGREE) == {"api": 0, "web": 0})
    expected = f"{len(DONE | ASKED)} probes succeed"
    wait_for("a good status", lambda: expected in site.status(wait=0)[1]["blackbox"])


def test_each_notices_what_only_its_user_sees(
    site: Platform, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    """The services call themselves ready all the while, and so does what only asks them."""
    update = "UPDATE users SET {} WHERE username = '{}'"
    database.execute(update.format("pw_hash = 'x'", PROBE_USER).encode())
    wait_for("a refused log-in", lambda: results(site).get("user-login") is False)
    wait_for("the others", lambda: passing(site) == {*ASKED, *DONE} - {"user-login"})
    wait_for("disagreement", lambda: panel(site, DISAGREE) == {"api": 0, "web": 1})

    def complains() -> bool:
        status, rows = site.status(wait=0)
        return status == 1 and "probe fails: user-login" in rows["blackbox"]

    wait_for("the complaint", complains)
    database.execute(update.format("username = 'gone'", PROBE_USER).encode())
    wait_for("nobody there", lambda: passing(site) == ASKED)


def test_how_long_a_certificate_is_good_is_seen(site: Platform, tmp_path: Path) -> None:
    """A TLS endpoint stands in for nginx, which does not run without Docker."""
    assert panel(site, "Certificates") == {}
    with listening(tmp_path) as port:
        watch(site, f"https://127.0.0.1:{port}/public")
        wait_for("its probe", lambda: "tls" in passing(site))
        found = wait_for("its certificate", lambda: panel(site, "Certificates"))
    [(probe, left)] = found.items()
    assert probe == "tls"
    assert 29 < left / DAY <= 30


@contextmanager
def listening(folder: Path) -> Iterator[int]:
    """Something that answers 200 over TLS, with a certificate good for 30 days; its port."""
    certificate, key = folder / "certificate", folder / "key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "30", "-subj", "/CN=example.org", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "public").write_text("hello")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def watch(site: Platform, address: str) -> None:
    """Make the TLS probe check ``address``, with the labels and module of nginx."""
    [probe] = [probe for probe in PROBES if probe.through]
    path = site.settings.config / "prometheus.yml"
    text = yaml.safe_load(path.read_text())
    [job] = [job for job in text["scrape_configs"] if job["job_name"] == "probe"]
    labels = {"probe": probe.name, "service": probe.service, "__param_module": probe.module}
    job["static_configs"].append({"targets": [address], "labels": labels})
    path.write_text(yaml.safe_dump(text))
    site.supervisor.hang_up("prometheus")
