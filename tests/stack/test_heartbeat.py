"""Silence is no all-clear: the dead man's switch is there before Alertmanager's alerts expire."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from observability.clock import Clock
from observability.conventions import DEADMAN_SECONDS, RESEND_SECONDS
from tests.drills.heartbeat import LIMIT, false_all_clear
from tests.drills.site import Site

# Slow enough that no duration meets its floor: resending, expiry and silence stay in proportion.
SCALE = 5
PARTS = (
    "postgres", "migrate", "api", "ngircd", "relay", "chatlog", "deadman", "alertmanager",
    "prometheus",
)  # fmt: skip
BEAT = 5.0  # seconds between two evaluations, and between two messages of the Watchdog's group


@pytest.fixture
def place() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="minitwit-heartbeat-") as folder:
        Path(folder).chmod(0o755)
        place = Site(Path(folder) / "run", SCALE)
        try:
            place.up(*PARTS)
            yield place
        finally:
            place.down()


@pytest.mark.parametrize("scale", [1, SCALE])
def test_the_switch_speaks_after_one_lost_beat_and_before_anything_expires(scale: float) -> None:
    clock = Clock(scale)
    silence = clock.silence(DEADMAN_SECONDS) * scale
    evaluated = RESEND_SECONDS - RESEND_SECONDS % BEAT + BEAT  # the evaluation after it
    assert silence > 2 * evaluated + 2 * BEAT, "one lost beat is no alarm"
    speaks = BEAT + silence + 1
    assert speaks < LIMIT
    assert speaks < 4 * RESEND_SECONDS - evaluated, "before the first alert expires"


@pytest.mark.stack
@pytest.mark.timeout(400)
def test_what_nobody_hears_of_any_more_is_not_said_to_be_over(place: Site) -> None:
    found = false_all_clear(place, SCALE)
    assert found["blind"] < found["expired"]
