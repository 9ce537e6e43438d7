"""The verdicts on measurements: a bench or a soak must be able to fail."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest

from tests.bench import footprint, mix, observed, reads
from tests.bench.load import Load
from tests.bench.pairs import Series, ratios
from tests.drills.site import Site
from tests.parts import ROOT, wait_for
from tests.soak.__main__ import RATE, Soak, judge
from tests.soak.faults import stopped
from tests.soak.weigh import growing, trend


def judged(
    *, outside: dict[str, int] | None = None, late: float = 60, acknowledged: int = 1000,
    written: int = 1000,
) -> dict[str, Any]:  # fmt: skip
    """Return the verdict on a soak of a thousand messages.

    ``api`` had 60 MB at first.
    """
    run = Soak(cast(Site, None), "", outside=Counter(outside or {}))
    run.inside["timeout"] = 7
    run.samples = [{"api": (60.0, 40)}] * 8 + [{"api": (late, 40)}] * 2
    tweets = {"count": 1007, "statuses": {"204": acknowledged}}
    return judge(run, 1, tweets, written)


def test_a_soak_is_good_when_errors_came_with_faults_only() -> None:
    found = judged(outside={"ok": 900})
    assert found["good"]
    assert found["errors_within_faults"] == {"timeout": 7}
    assert not judged(outside={"ok": 900, "timeout": 1})["good"]


def test_a_message_that_was_acknowledged_and_is_not_there_is_lost() -> None:
    assert judged(written=999)["messages_lost"] == 1
    assert not judged(written=999)["good"]


def test_messages_may_be_there_without_an_answer_but_no_more_than_were_sent() -> None:
    assert judged(written=1007 + RATE)["good"]
    assert not judged(written=1008 + RATE)["good"]


def test_what_takes_clearly_more_at_the_end_grows() -> None:
    assert judged(late=60 * 1.3 + 29)["good"]
    assert judged(late=60 * 1.3 + 31)["growing"] == ["api"]
    files = [{"api": (60.0, 40)}] * 8 + [{"api": (60.0, 90)}] * 2
    assert growing(trend(files)) == ["api"]


def test_ratios_are_taken_round_by_round() -> None:
    one = Series([Load(rate, 1, 1) for rate in (100, 50, 10)], [1, 1, 1])
    other = Series([Load(rate, 1, 2) for rate in (100, 100, 10)], [2, 2, 2])
    found = ratios(one, other)
    assert found["rate"] == {"median": 1.0, "least": 0.5, "most": 1.0}
    assert found["p99"]["median"] == found["cpu"]["median"] == 0.5


def test_each_bar_of_the_bench_can_be_missed() -> None:
    def ratio(rate: float, p99: float = 1) -> dict[str, Any]:
        values = {"rate": rate, "p99": p99, "cpu": 1.0}
        return {k: {"median": v, "least": v, "most": v} for k, v in values.items()}

    def met(rows: list[tuple[str, str, str, bool]]) -> bool:
        return all(row[3] for row in rows)

    for rate, good in ((0.95, True), (0.949, False)):
        assert met(observed.rows({"read": {"ratios": {"observed": ratio(rate)}}})) is good
    assert not met(observed.rows({"read": {"ratios": {"observed": ratio(1, 1.06)}}}))
    for rate, good in ((0.9, True), (0.899, False)):
        path = {
            "ratio": ratio(rate),
            "figures": {"observed": {"rate": 1}},
            "pgbench": {"median": 1},
        }
        assert met(reads.rows({"paths": {"/": path}})) is good
    for p99, good in ((1.2, True), (1.201, False)):
        grown: dict[str, Any] = {"messages": [1, 2], "bytes_per_message": 1}
        grown["paths"] = {"/": {"ratio": ratio(1, p99)}}
        assert met(reads.growth_rows(grown)) is good
    for key, bad in (
        ("api_series", 1001),
        ("up_seconds", 31),
        ("overview_seconds", 61),
        ("generate_seconds", 2.1),
    ):
        figures: dict[str, Any] = {
            "memory_mb": {"api": 60}, "api_series": 1, "up_seconds": 1, "overview_seconds": 1,
            "generate_seconds": 1, "log_bytes_a_request": 1, "samples_a_second": 1,
        }  # fmt: skip
        assert met(footprint.rows(figures))
        assert not met(footprint.rows(figures | {key: bad}))
    assert not met(footprint.rows(figures | {"memory_mb": {"api": 151}}))
    assert not met(footprint.rows(figures | {"memory_mb": {"api": 60, "loki": 841}}))


@pytest.mark.parametrize(("where", "times"), sorted(mix.BARRED))
@pytest.mark.parametrize("trouble", ["late", "failed"])
def test_one_late_action_misses_the_bar_of_the_mix(where: str, times: str, trouble: str) -> None:
    p99 = {"latency_ms": {"p99": 1}, "p99_ms_by_command": {"tweet": 1}}
    run = {"actions": 9, "late": 0, "failed": 0, "statuses": {"204": 9}, **p99}
    bad = run | {trouble: 1, "statuses": {"204": 8, "503": 1}}
    for found, good in ((run, True), (bad, False)):
        rows = mix.rows({"closed": {}, "open": {"kept": {where: {times: found}}}})
        assert rows[0][3] is good
        assert ("(1 of 503)" in rows[0][2]) is not good


def test_what_was_made_to_stand_still_goes_on_when_the_soak_is_broken_off() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        state = Path(f"/proc/{process.pid}/stat")
        with pytest.raises(KeyboardInterrupt), stopped([process.pid]):
            wait_for("it stands", lambda: state.read_text().split()[2] == "T")
            raise KeyboardInterrupt
        wait_for("it goes on", lambda: state.read_text().split()[2] == "S")
        process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("module", ["tests.soak", "tests.bench", "tests.drills"])
def test_what_is_told_to_end_ends_as_by_hand(module: str) -> None:
    """Or a platform would stay behind."""
    work = {"tests.soak": "soak", "tests.bench": "measure", "tests.drills": "drills"}[module]
    program = (
        f"import os, signal, sys; from {module} import __main__ as it\n"
        "def told(*_, **__): os.kill(os.getpid(), signal.SIGTERM)\n"
        f"it.{work} = told; sys.argv = [{module!r}]; sys.exit(it.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "\nbroken off; what ran is stopped\n")
