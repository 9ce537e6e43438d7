"""Silence is no all-clear: the dead man's switch is there before Alertmanager's alerts expire."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from observability.conventions import DEADMAN_SECONDS, HEARTBEAT, RESEND_SECONDS
from observability.stack.deadman.heartbeat import REMEMBERED, WATCHDOG, Heartbeat
from observability.stack.deadman.watch import account
from observability.time_scale import TimeScale
from tests.drills.heartbeat import BLIND, DOWN, LIMIT, false_all_clear
from tests.drills.site import Site
from tests.stack.platform import MONITORING

# Slow enough that no duration meets its floor: resending, expiry and silence stay in proportion.
# Quicker, a busy machine has less than four seconds between silence and expiry.
SCALE = 3
PARTS = (*MONITORING, "api", "web")  # all that an alert misses
BEAT = 5.0  # seconds between two evaluations, and between two messages of the Watchdog's group


class Watched(Site):
    """Keeps what Alertmanager held each time it was asked."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(run_dir, SCALE)
        self.seen: list[set[tuple[str, str]]] = []

    def held(self) -> set[tuple[str, str]]:
        self.seen.append(super().held())
        return self.seen[-1]


@pytest.fixture
def site() -> Iterator[Watched]:
    with tempfile.TemporaryDirectory(prefix="minitwit-heartbeat-") as folder:
        Path(folder).chmod(0o755)
        site = Watched(Path(folder) / "run")
        try:
            site.up(*PARTS)
            yield site
        finally:
            site.down()


@pytest.mark.parametrize("scale", [1, SCALE])
def test_the_switch_speaks_after_one_lost_beat_and_before_anything_expires(scale: float) -> None:
    time_scale = TimeScale(scale)
    silence = time_scale.deadman_timeout(DEADMAN_SECONDS) * scale
    evaluated = RESEND_SECONDS - RESEND_SECONDS % BEAT + BEAT  # the evaluation after it
    assert silence > 2 * evaluated + 2 * BEAT, "one lost beat is no alarm"
    speaks = BEAT + silence + 1
    assert speaks < LIMIT
    assert speaks < 4 * RESEND_SECONDS - evaluated, "before the first alert expires"


def beat(value: str, status: str = "firing") -> bytes:
    """What Alertmanager posts."""
    labels, notes = {"alertname": WATCHDOG}, {HEARTBEAT: value}
    alert = {"status": status, "labels": labels, "annotations": notes}
    return json.dumps({"alerts": [alert]}).encode()


def test_a_repetition_is_no_beat() -> None:
    heartbeat = Heartbeat()

    def heard(value: str, status: str = "firing") -> bool:
        return heartbeat.heard(beat(value, status))

    assert heard("5.0")
    assert not heard("5.0")
    assert not heard("4.0"), "an Alertmanager that knows less"
    assert not heard("6.0", "resolved")
    assert heard("6.5")
    assert not heard("NaN"), "after which every value would be a beat"
    assert not heard("inf"), "after which none would"
    assert heard("7.0")
    with pytest.raises(ValueError, match="nonsense"):
        heard("nonsense")


def test_a_process_that_was_killed_leaves_its_heartbeat(tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"
    assert Heartbeat(file).heard(beat("5.0"))
    passed = time.time() - 90
    os.utime(file, (passed, passed))
    after = Heartbeat(file)
    assert after.age >= 90
    assert not after.heard(beat("5.0")), "Alertmanager repeats it"
    assert after.heard(beat("5.5"))
    assert Heartbeat(file).age < 90


def test_a_start_counts_once(tmp_path: Path) -> None:
    """A switch that is killed before the first heartbeat waits from its first start on."""
    file = tmp_path / "heartbeat"
    Heartbeat(file)
    passed = time.time() - 90
    os.utime(file, (passed, passed))
    assert Heartbeat(file).age >= 90


@pytest.mark.parametrize("seconds", [REMEMBERED + 60, -60], ids=["long ago", "not yet"])
def test_what_was_long_ago_or_is_still_to_come_is_no_silence(
    seconds: float, tmp_path: Path
) -> None:
    file = tmp_path / "heartbeat"
    Heartbeat(file).heard(beat("5.0"))
    passed = time.time() - seconds
    os.utime(file, (passed, passed))
    assert Heartbeat(file).age < 60
    assert file.stat().st_mtime != passed, "from now on it counts"


def test_a_stop_that_was_asked_for_leaves_nothing(tmp_path: Path) -> None:
    (file := tmp_path / "heartbeat").write_text("no number")
    heartbeat = Heartbeat(file)
    assert heartbeat.age < 60
    heartbeat.forget()
    heartbeat.heard(beat("5.0"))  # while it ends
    assert not file.exists()
    Heartbeat(tmp_path / "nowhere/heartbeat").forget()


def test_the_room_reads_what_was_open_and_what_became_of_it() -> None:
    assert account(["A of api", "B of web"], {"B of web", "C of web"}) == (
        "open before and still firing: B of web; open before and firing no more: A of api"
    )
    assert account(["A of api"], set()) == "open before and firing no more: A of api"
    many = [f"{letter} of api" for letter in "ABCDEF"]
    assert account(many, set(many)).endswith("D of api and 2 more")


@pytest.mark.stack
def test_what_nobody_hears_of_any_more_is_not_said_to_be_over(site: Watched) -> None:
    false_all_clear(site, SCALE)
    assert any({BLIND, (DOWN, "api")} <= held for held in site.seen), "not before it expired"
