"""The command: exit statuses, files, signals."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.scenario import read
from tests.parts import PATIENCE, ROOT, free_port, wait_for
from tests.simulator import fakes
from tests.simulator.fakes import answer, fake_api

PATIENT = ["--max", "--timeout", f"{PATIENCE:g}"]  # the fakes are slow on a busy machine
AT_ONCE = 8
CLIENTS = ["--clients", f"{AT_ONCE}"]
COMMAND = [sys.executable, "-W", "error", "-m", "simulator"]


def simulate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_all_is_well(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    with fake_api() as api:
        done = simulate("--url", api.url, *PATIENT, "--actions", "200", "--report", str(file))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    rows = {line.split()[0]: line.split()[1:3] for line in done.stdout.splitlines()[1:6]}
    report = json.loads(file.read_text())
    assert rows["all"] == ["200", "0"]
    for command, row in report["commands"].items():
        assert rows[command] == [str(row["count"]), "0"]
    assert sum(row["count"] for row in report["commands"].values()) == 200
    check_schema(report)
    assert report["totals"]["statuses"] == {"204": 200}
    assert (report["first_id"], report["last_id"]) == (0, 199)
    assert report["schedule"] is None
    assert report["settings"]["url"] == api.url
    assert "super_safe" not in file.read_text()


LATENCY = {"p50", "p95", "p99", "max"}
ROW = {"count", "errors", "statuses", "timeouts", "refused", "reset", "other", "latency"}
REPORT = {
    "schema", "settings", "started", "finished", "seconds", "actions", "actions_per_second",
    "errors", "first_id", "last_id", "interrupted", "cpu_seconds", "commands", "totals",
    "schedule", "first_errors", "differences",
}  # fmt: skip
SETTINGS = {
    "url", "speed", "rate", "clients", "keep_alive", "timeout_seconds", "file", "seed",
    "actions", "even", "resume", "forever",
}  # fmt: skip


def check_schema(report: dict[str, Any]) -> None:
    assert report["schema"] == 1
    assert set(report) == REPORT
    assert set(report["settings"]) == SETTINGS
    assert set(report["commands"]) == {"register", "tweet", "follow", "unfollow"}
    for row in (*report["commands"].values(), report["totals"]):
        assert set(row) == ROW
        assert set(row["latency"]) == LATENCY
        assert row["count"] == sum(row["statuses"].values()) + sum(
            row[kind] for kind in ("timeouts", "refused", "reset", "other")
        )
    if report["schedule"]:
        assert set(report["schedule"]) == {"lateness", "since_due"}


@pytest.mark.parametrize(
    ("behaviour", "column"),
    [
        (lambda *_: answer(500), None),
        (fakes.late, "timeouts"),
        (fakes.resets, "reset"),
        (fakes.babbles, "other"),
    ],
)
def test_any_error_is_exit_status_1(
    tmp_path: Path, behaviour: fakes.Behaviour, column: str | None
) -> None:
    file = tmp_path / "report.json"
    with fake_api(behaviour) as api:
        options = [*(["--max"] if column == "timeouts" else PATIENT), "--clients", "8"]
        done = simulate("--url", api.url, *options, "--actions", "20", "--report", str(file))
    report = json.loads(file.read_text())
    check_schema(report)
    assert done.returncode == 1
    assert report["errors"] == 20
    assert report["totals"][column or "errors"] == 20
    assert len(report["first_errors"]) == 5
    assert "error: action " in done.stdout


def test_taken_names_are_no_errors() -> None:
    def taken(seen: fakes.Seen, connection: object) -> bytes:
        return answer(400 if seen.registers else 204)

    with fake_api(taken) as api:
        assert simulate("--url", api.url, *PATIENT, "--actions", "50").returncode == 0


def test_nobody_is_there() -> None:
    done = simulate("--url", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "no connection" in done.stderr


def test_somebody_else_is_there() -> None:
    with fake_api() as api:
        done = simulate("--url", f"{api.url}/elsewhere")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rate", "0"],
        ["--rate", "x"],
        ["--clients", "0"],
        ["--rate", "5", "--max"],
        ["--url", "localhost"],
        ["--forever", "--verify"],
        ["--new-people"],
        ["--new-people", "--forever", "--file", "x"],
        ["--seed", "1", "--file", "x"],
        ["--file", "/does/not/exist"],
        ["--report", "/does/not/exist/report.json"],
        ["--nonsense"],
    ],
)
def test_mistakes_are_exit_status_2(arguments: list[str]) -> None:
    done = simulate(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_bad_file_is_exit_status_2(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("0\t0\tx\ttweet\tA\thi\n1\t0\tx\tlike\tA\thi\n")
    done = simulate("--file", str(tmp_path / "bad"))
    assert done.returncode == 2
    assert done.stderr == f"simulator: {tmp_path / 'bad'}:2: unknown command 'like'\n"


def test_credentials_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    with fake_api() as api:
        simulate(
            "--url", api.url, *PATIENT, "--actions", "1",
            SIMULATOR_USER="me", SIMULATOR_PASSWORD_FILE=str(tmp_path / "secret"),
        )  # fmt: skip
        assert api.seen[0].headers["Authorization"] == "Basic bWU6czNjcmV0"


def test_a_scenario_written_is_the_scenario_played(tmp_path: Path) -> None:
    file = tmp_path / "scenario"
    assert simulate("--seed", "9", "--actions", "300", "--write", str(file)).returncode == 0
    assert len(read(file)) == 300
    with fake_api() as made_up, fake_api() as from_file:
        simulate("--url", made_up.url, *PATIENT, "--seed", "9", "--actions", "300")
        simulate("--url", from_file.url, *PATIENT, "--file", str(file))
    assert [(s.line, s.body) for s in made_up.seen] == [(s.line, s.body) for s in from_file.seen]
    assert len(made_up.seen) == 300


def test_resuming_begins_after_latest() -> None:
    with fake_api() as api:
        api.latest = 149
        simulate("--url", api.url, *PATIENT, "--actions", "200", "--resume")
        assert [seen.id for seen in api.seen] == list(range(150, 200))
        api.latest = 199
        done = simulate("--url", api.url, *PATIENT, "--actions", "200", "--resume")
        assert done.returncode == 0
        assert "nothing to do" in done.stderr
        assert len(api.seen) == 50


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals, status: int) -> None:
    file = tmp_path / "report.json"
    options = ["--rate", "50", *CLIENTS, "--report", str(file)]
    with fake_api() as api, running("--url", api.url, *options) as it:
        wait_for("some actions", lambda: len(api.seen) >= 10 + AT_ONCE)  # so that ten have ended
        it.send_signal(number)
        out, err = it.communicate(timeout=PATIENCE)
    assert it.returncode == status
    assert "Traceback" not in err
    assert out.startswith("command ")
    report = json.loads(file.read_text())
    check_schema(report)
    assert report["interrupted"]
    assert 10 <= report["actions"] < 1000


def test_forever_goes_on_lap_after_lap() -> None:
    """It waits for an API that does not run yet, and ids keep rising."""
    port = free_port()
    options = ["--rate", "200", *CLIENTS, "--timeout", f"{PATIENCE:g}", "--actions", "40"]
    with running("--url", f"http://127.0.0.1:{port}", *options, "--forever") as it:
        assert it.stderr
        assert "waiting for the api" in it.stderr.readline()
        with fake_api(port=port) as api:
            wait_for("three laps", lambda: {seen.id for seen in api.seen} >= {*range(120)})
            it.send_signal(signal.SIGINT)
            it.wait(PATIENCE)
        assert it.returncode == 130
    ids = [seen.id for seen in api.seen]
    assert len(ids) == len(set(ids)), "twice"
    assert max(ids) < len(ids) + AT_ONCE, "what is missing was on its way"


def test_forever_can_resume() -> None:
    options = ["--rate", "200", "--actions", "40", "--forever", "--resume"]
    with fake_api() as api:
        api.latest = 95
        with running("--url", api.url, *options):
            wait_for("some actions", lambda: len(api.seen) >= 30)
        assert min(seen.id for seen in api.seen) == 96


def test_progress_is_told_in_lines(tmp_path: Path) -> None:
    with fake_api() as api, running("--url", api.url, "--rate", "20", "--actions", "2000") as it:
        assert it.stderr
        line = it.stderr.readline()
    assert " of 2,000 (" in line
    assert line.endswith("s left\n")
