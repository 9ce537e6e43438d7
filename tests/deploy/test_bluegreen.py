"""Blue/green on one host: no request is lost, and a broken version never serves."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import site as sites
from tests.deploy.monitoring import FIRING, SPENT
from tests.deploy.site import Site, figures
from tests.parts import PATIENCE, wait_for

QUICK = {"CANARY_SECONDS": "2", "WATCH_SECONDS": "2", "GATE_ROUNDS": "1"}
PATIENT = ("POOL_TIMEOUT=20", "STATEMENT_TIMEOUT=20", "PAGE_TIMEOUT=40")
# At most eight at once: a machine that has no time is asked more slowly.
FEW = ("--clients", "8")


@pytest.fixture(scope="module")
def site(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sites.start(tmp_path_factory.mktemp("site"), database_url, *PATIENT) as site:
        yield site


def serves(site: Site) -> None:
    assert site.proxy.get("api", "/latest").status == 200
    assert site.proxy.get("web", "/public").status == 200


def test_a_dry_run_tells_the_steps_and_does_none(site: Site) -> None:
    done = site.deploy("--dry-run", "better", **QUICK)
    assert done.returncode == 0
    for step in ("would run: migrate better", "would run: start green", "would run: take_over"):
        assert step in done.stderr
    assert site.active == "blue"
    assert not (site.folder / "green-api.pid").exists()
    assert site.notes == []


def test_a_second_deploy_at_the_same_time_is_refused(site: Site) -> None:
    with (site.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = site.deploy("better", **QUICK)
    assert done.returncode == 1
    assert "another deploy is under way" in done.stderr
    assert site.active == "blue"


def test_what_never_gets_ready_never_serves(site: Site, tmp_path: Path) -> None:
    site.notes.clear()
    with site.load(50, 200, 30, tmp_path / "report.json", *FEW):
        done = site.deploy("never-ready", START_TRIES="10", **QUICK)
    assert done.returncode == 1
    assert "FAILED: never-ready is not in service, blue is" in done.stderr
    totals = figures(tmp_path / "report.json")
    assert totals["errors"] == 0, totals
    assert site.active == "blue"
    assert not site.runs("green")
    assert [note["tags"] for note in site.notes] == [["deploy", "started"], ["deploy", "failed"]]
    assert site.monitoring.silences("active") == []
    serves(site)


def test_what_cannot_write_never_serves(site: Site) -> None:
    done = site.deploy("cannot-write", **QUICK)
    assert done.returncode == 1
    assert "/login answers 5" in done.stderr
    assert site.active == "blue"
    assert not site.runs("green")
    serves(site)


def test_a_new_version_takes_over_under_load_and_no_request_fails(
    site: Site, tmp_path: Path
) -> None:
    site.notes.clear()
    with site.load(50, 450, 30, tmp_path / "report.json", *FEW):
        done = site.deploy("better", **QUICK)
        assert (site.folder / "lock").exists()
    assert done.returncode == 0, done.stderr
    totals = figures(tmp_path / "report.json")
    assert (totals["count"], totals["errors"]) == (450, 0), totals
    assert site.active == "green"
    assert not site.runs("blue")
    assert [note["tags"] for note in site.notes] == [["deploy", "started"], ["deploy", "done"]]
    assert "too few to judge" in done.stderr
    assert site.monitoring.silences("active") == []
    serves(site)


def test_what_fails_only_in_service_is_rolled_back(site: Site, tmp_path: Path) -> None:
    before = site.active
    with site.deploying("cannot-post", **{**QUICK, "CANARY_SECONDS": "60"}) as process:
        wait_for("the canary", site.split)
        with site.load(100, 1500, 30, tmp_path / "report.json", *FEW):
            assert process.wait(PATIENCE) == 1, site.said.read_text()
    said = site.said.read_text()
    assert "3 answers of the new version were a 5xx" in said
    assert f"back to {before}" in said
    assert "6 switch" not in said
    assert site.active == before
    # If it were not rolled back, about 33 posts would be refused.
    assert 3 <= figures(tmp_path / "report.json")["errors"] <= 20
    serves(site)


def test_what_is_slower_by_its_version_is_rolled_back(site: Site, tmp_path: Path) -> None:
    before = site.active
    settings = {"CANARY_SECONDS": "20", "CANARY_PERCENT": "40"}
    with site.deploying("slow", **{**QUICK, **settings}) as process:
        wait_for("the canary", site.split)
        with site.load(60, 500, 30, tmp_path / "report.json", "--clients", "16"):
            assert process.wait(PATIENCE) == 1, site.said.read_text()
    assert "api: 0.1.0 is WORSE (0.0 % of" in site.said.read_text()
    assert site.active == before
    assert figures(tmp_path / "report.json")["errors"] == 0


@pytest.mark.parametrize(
    ("rule", "query", "why"),
    [
        (FIRING, "ALERTS", "REFUSED: a critical alert fires: MiniTwitErrorRatio of api."),
        (SPENT, "objective:slo_budget_left:ratio_rate30d",
         "REFUSED: the error budget is spent: web-availability."),
    ],
)  # fmt: skip
def test_it_asks_alerts_and_budgets(site: Site, rule: str, query: str, why: str) -> None:
    before, site.notes[:] = site.active, []
    site.monitoring.rules(rule)
    try:
        wait_for("the rule", lambda: site.monitoring.value(query))
        done = site.deploy("better", **QUICK)
        assert done.returncode == 1
        assert why in done.stderr
        assert (site.active, site.notes) == (before, [])
        for flag in ("--anyway", "--back"):
            done = site.deploy(flag, *(["never-ready"] * (flag != "--back")), START_TRIES="1")
            assert f"it goes on all the same ({flag})" in done.stderr
            assert "2 migrate" in done.stderr
    finally:
        site.monitoring.rules()
        wait_for("no rule", lambda: site.monitoring.value(query) == [])


def test_it_does_not_start_blindly(site: Site) -> None:
    done = site.deploy("better", PROMETHEUS_URL="http://127.0.0.1:9", **QUICK)
    assert done.returncode == 1
    assert "REFUSED: Prometheus does not answer" in done.stderr


def test_one_that_is_interrupted_undoes_all_and_ends_its_silence(site: Site) -> None:
    before = site.active
    with site.deploying("better", **{**QUICK, "CANARY_SECONDS": "60"}) as process:
        wait_for("the canary", site.split)
        down = {"alertname": "MiniTwitTargetDown", "service": "api"}
        serving = f"127.0.0.1:{site.environment[f'{before.upper()}_API']}"
        assert not site.monitoring.silenced(**down, instance=serving)
        assert site.monitoring.silenced(**down, instance="127.0.0.1:1")
        process.terminate()
        assert process.wait(PATIENCE) == 1
    assert site.monitoring.silences("active") == []
    assert site.active == before
    assert not site.split()
    serves(site)


def test_back_brings_the_version_before(site: Site) -> None:
    before = site.active
    idle = "green" if before == "blue" else "blue"
    site.driver(f"echo good >$STATE/image-{idle}")
    done = site.deploy("--back", **QUICK)
    assert done.returncode == 0, done.stderr
    assert f"good is in service ({idle})" in done.stderr
    assert site.active != before
    serves(site)
