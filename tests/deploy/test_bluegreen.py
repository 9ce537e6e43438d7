"""Blue/green on one host: no request is lost, what is broken never serves or goes at once."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import site as sites
from tests.deploy.site import Site, figures

QUICK = {"WATCH_SECONDS": "2", "GATE_ROUNDS": "2"}
PATIENT = ("POOL_TIMEOUT=20", "STATEMENT_TIMEOUT=20")


@pytest.fixture(scope="module")
def site(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sites.start(tmp_path_factory.mktemp("site"), database_url, *PATIENT) as site:
        yield site


def serves(site: Site) -> None:
    assert site.entrance.get("api", "/latest").status == 200
    assert site.entrance.get("web", "/public").status == 200


def test_a_dry_run_tells_the_steps_and_does_none(site: Site) -> None:
    done = site.deploy("--dry-run", "better", **QUICK)
    assert done.returncode == 0
    for step in ("would run: migrate better", "would run: start green", "would run: switch green"):
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
    with site.load(50, 200, 30, tmp_path / "report.json"):
        done = site.deploy("never-ready", START_TRIES="10", **QUICK)
    assert done.returncode == 1
    assert "FAILED: never-ready is not in service, blue is" in done.stderr
    totals = figures(tmp_path / "report.json")
    assert totals["errors"] == 0, totals
    assert site.active == "blue"
    assert not site.runs("green")
    assert [note["tags"] for note in site.notes] == [["deploy", "started"], ["deploy", "failed"]]
    serves(site)


def test_what_cannot_write_never_serves(site: Site) -> None:
    done = site.deploy("cannot-write", **QUICK)
    assert done.returncode == 1
    assert "POST /api/sessions of api answers 5" in done.stderr
    assert site.active == "blue"
    assert not site.runs("green")
    serves(site)


def test_a_new_version_takes_over_under_load_and_no_request_fails(
    site: Site, tmp_path: Path
) -> None:
    site.notes.clear()
    with site.load(50, 450, 30, tmp_path / "report.json"):
        done = site.deploy("better", **QUICK)
        assert (site.folder / "lock").exists()
    assert done.returncode == 0, done.stderr
    totals = figures(tmp_path / "report.json")
    assert (totals["count"], totals["errors"]) == (450, 0), totals
    assert site.active == "green"
    assert not site.runs("blue")
    assert [note["tags"] for note in site.notes] == [["deploy", "started"], ["deploy", "done"]]
    serves(site)


def test_what_fails_only_in_service_is_taken_back(site: Site, tmp_path: Path) -> None:
    before = site.active
    with site.load(50, 450, 30, tmp_path / "report.json"):
        done = site.deploy("cannot-post", WATCH_SECONDS="30", GATE_ROUNDS="1")
    assert done.returncode == 1, done.stderr
    assert "answers with a 5xx since the switch" in done.stderr
    assert f"back to {before}" in done.stderr
    assert site.active == before
    serves(site)


def test_back_brings_the_version_before(site: Site) -> None:
    before = site.active
    site.driver("echo good >$STATE/image-blue")
    done = site.deploy("--back", **QUICK)
    assert done.returncode == 0, done.stderr
    assert "good is in service (blue)" in done.stderr
    assert site.active != before
    serves(site)
