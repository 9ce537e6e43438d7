"""Which alerts Alertmanager tells of while others fire: asked of a real one."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from observability.conventions import MONITORING_BLIND
from observability.stack.programs.tools import require
from observability.stack.settings import load
from tests.parts import PATIENCE, free_port, request, wait_for

CONFIG = Path(__file__).parents[2] / "deploy/generated/alertmanager.yml"
API_DOWN, WEB_DOWN = "TargetDown api", "TargetDown web"
DATABASE_DOWN, POSTS_FAIL, PAGES_FAIL = (
    "DatabaseDown postgres",
    "ProbeFailing api",
    "ProbeFailing web",
)
ERRORS, WEB_ERRORS, BURNS = "ErrorRatio api", "ErrorRatio web", "BurnRate1h api"
STALLED, SLOW, EXPORTER = "SimulatorStalled api", "DatabaseSlow api", "MonitorDown postgres"
# What fires, and what of it is told: one page for one cause.
ONE_CAUSE = {
    "api is down": (
        (API_DOWN, POSTS_FAIL, PAGES_FAIL, ERRORS, WEB_ERRORS, BURNS, STALLED),
        API_DOWN,
    ),
    "web is down": ((WEB_DOWN, PAGES_FAIL, WEB_ERRORS, "BurnRate1h web"), WEB_DOWN),
    "PostgreSQL is down": (
        (
            DATABASE_DOWN,
            POSTS_FAIL,
            PAGES_FAIL,
            ERRORS,
            WEB_ERRORS,
            BURNS,
            SLOW,
            EXPORTER,
            "PoolExhausted api",
            "DatabaseErrors api",
            "RegistrationsFailing api",
        ),
        DATABASE_DOWN,
    ),
    "posts fail": ((POSTS_FAIL, PAGES_FAIL, ERRORS, WEB_ERRORS, BURNS, "NoPosts api"), POSTS_FAIL),
    "only pages fail": ((PAGES_FAIL, WEB_ERRORS, "BurnRate1h web"), PAGES_FAIL),
    "errors that no probe sees": (
        (ERRORS, WEB_ERRORS, PAGES_FAIL, BURNS, "ErrorsLogged api"),
        ERRORS,
    ),
    "passwords are guessed": (("LoginAttack api", "InvalidRequests api"), "LoginAttack api"),
    "names are taken": (
        ("RegistrationsFailing api", "InvalidRequests api"),
        "RegistrationsFailing api",
    ),
    "errors of pages alone": ((WEB_ERRORS, "BurnRate1h web"), WEB_ERRORS),
}
# A fault of one service says nothing of another's: all of these are told.
APART = {
    "errors of pages, and of api": (WEB_ERRORS, BURNS, "ErrorsLogged api"),
    "pages fail, and api's budget burns": (PAGES_FAIL, BURNS, "ErrorsLogged api", "NoPosts api"),
    "web is down, and api has errors": (WEB_DOWN, ERRORS),
    "web is down, and api's budget burns": (WEB_DOWN, BURNS, "ErrorsLogged api", "NoPosts api"),
    "web is down, and a probe of api fails": (WEB_DOWN, POSTS_FAIL),
    "names are taken, and web gets nonsense": ("RegistrationsFailing api", "InvalidRequests web"),
    "PostgreSQL is down, and another exporter": (DATABASE_DOWN, "MonitorDown node"),
}
# While the windows of an outage of this service drain, its consequences are not told ...
DRAINING = ("Draining20s", "Draining1m", "Draining5m")
DRAINED = {
    "api": (POSTS_FAIL, PAGES_FAIL, ERRORS, WEB_ERRORS, BURNS, STALLED),
    "web": (PAGES_FAIL, WEB_ERRORS, "BurnRate1h web"),
    "postgres": (POSTS_FAIL, PAGES_FAIL, ERRORS, WEB_ERRORS, BURNS, SLOW),
}
# ... and a new fault is.
NEW_FAULTS = {
    "api": (DATABASE_DOWN, WEB_DOWN, API_DOWN, "DiskFull node", EXPORTER, SLOW),
    "web": (DATABASE_DOWN, API_DOWN, WEB_DOWN, POSTS_FAIL, ERRORS, BURNS),
    "postgres": (API_DOWN, WEB_DOWN, DATABASE_DOWN, "DiskFull node", EXPORTER),
}
_rounds = itertools.count(1)
Told = Callable[..., set[str]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Which of some alerts an Alertmanager with our inhibitions does not inhibit."""
    folder, port = tmp_path_factory.mktemp("alertmanager"), free_port()
    rules = yaml.safe_load(CONFIG.read_text())["inhibit_rules"]
    config = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump({**config, "inhibit_rules": rules}))
    program = require(["alertmanager"], load().cache)["alertmanager"]
    command = [
        str(program.path), f"--config.file={file}", f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for("Alertmanager", lambda: request("GET", f"{url}/-/ready").status == 200)
            yield lambda *names: _told(url, names)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _told(url: str, names: tuple[str, ...]) -> set[str]:
    """Let exactly these fire; return those that are not suppressed."""
    # The critical one of these inhibits the other; of a service that no call before knew.
    own = {"alertname": "Last", "service": f"x{next(_rounds)}"}
    last = [{**own, "severity": severity} for severity in ("critical", "warning")]
    firing = [*(_alert(name) for name in names), *last]
    alerts = [{"labels": labels, "startsAt": "2026-01-01T00:00:00Z"} for labels in firing]
    address, kind = f"{url}/api/v2/alerts", {"Content-Type": "application/json"}
    assert request("POST", address, json.dumps(alerts).encode(), kind).status == 200
    wait_for("the alerts", lambda: _judged(address, last[1], len({*names}) + 2))
    found = {_name(row["labels"]): row["status"]["state"] for row in request("GET", address).json()}
    ended = [{**alert, "endsAt": "2026-01-01T00:00:01Z"} for alert in alerts]
    assert request("POST", address, json.dumps(ended).encode(), kind).status == 200
    wait_for("their end", lambda: not json.loads(request("GET", address).body))
    return {name for name in names if found[name] == "active"}


def _judged(address: str, last: dict[str, str], count: int) -> bool:
    """Whether Alertmanager has taken all of them for causes.

    It does so one after the other: where the last is inhibited, those before it are known. What
    else this answer says may be of the moment before.
    """
    rows: list[dict[str, Any]] = request("GET", address).json()
    states = [row["status"]["state"] for row in rows if row["labels"] == last]
    return states == ["suppressed"] and len(rows) == count


def _alert(name: str) -> dict[str, str]:
    alert, service = name.split()
    return {"alertname": alert if alert == MONITORING_BLIND else f"MiniTwit{alert}",
            "service": service, "instance": "h"}  # fmt: skip


def _name(labels: dict[str, str]) -> str:
    return f"{labels['alertname'].removeprefix('MiniTwit')} {labels['service']}"


@pytest.mark.parametrize("what", ONE_CAUSE)
def test_one_cause_is_told_once(what: str, told: Told) -> None:
    firing, cause = ONE_CAUSE[what]
    assert told(*firing) == {cause}


@pytest.mark.parametrize("what", APART)
def test_a_fault_of_one_service_hides_none_of_another(what: str, told: Told) -> None:
    assert told(*APART[what]) == set(APART[what])


@pytest.mark.parametrize("service", DRAINED)
def test_windows_that_drain_call_nobody(service: str, told: Told) -> None:
    draining = [f"{name} {service}" for name in DRAINING]
    assert told(*draining, *DRAINED[service]) == set(draining)


@pytest.mark.parametrize("service", NEW_FAULTS)
def test_a_new_fault_while_windows_drain_is_told(service: str, told: Told) -> None:
    draining = [f"{name} {service}" for name in DRAINING]
    for fault in NEW_FAULTS[service]:
        assert fault in told(*draining, fault), fault


@pytest.mark.parametrize("service", ["api", "web"])
def test_what_began_as_an_error_alone_is_told_when_the_windows_have_drained(
    service: str, told: Told
) -> None:
    assert told(f"Draining5m {service}", f"ErrorRatio {service}") >= {f"ErrorRatio {service}"}
    assert told(f"ErrorRatio {service}") == {f"ErrorRatio {service}"}


def test_while_nothing_is_seen_nothing_is_told(told: Told) -> None:
    blind = f"{MONITORING_BLIND} prometheus"
    assert told(blind, "DiskFull node", "ErrorsLogged api") == {blind, "ErrorsLogged api"}
