"""``make healthy``: an hour of load, at production's pace, in which nothing may fire.

Writes results/healthy.json: every alert that was pending, and every one that fired.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests import results
from tests.drills.__main__ import site
from tests.drills.site import QUIET, Site

LOOK_EVERY = 15.0  # seconds


def main() -> int:
    """0 if nothing but the Watchdog fired."""
    parser = argparse.ArgumentParser(prog="make healthy", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, metavar="N", help="default: 60")
    seconds = parser.parse_args().minutes * 60
    with site(1, small=False) as place:
        pending = watch(place, seconds)
        fired = sorted(place.fired_within(seconds))
        acted = total(place, "sum(minitwit_simulator_actions_total)")
        good = total(place, 'sum(minitwit_simulator_actions_total{outcome="ok"})')
        said = [m.text for m in place.messages()]
        watchdog = total(place, f'max_over_time(ALERTS{{alertname="{QUIET}"}}[5m])') == 1
    result = {
        "minutes": round(seconds / 60),
        "actions": acted,
        "actions_ok": good,
        "pending": pending,
        "fired": fired,
        "said": said,
        "watchdog": watchdog,
    }
    results.write("healthy", results.stamped(result))
    print(f"{acted:,} actions, {good:,} ok; fired: {', '.join(fired) or 'nothing'}")
    return 1 if fired or said or not watchdog else 0


def watch(place: Site, seconds: float) -> dict[str, float]:
    """Return for how many seconds each alert was pending or firing."""
    seen: dict[str, float] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(LOOK_EVERY)
        for name in place.active():
            seen[name] = seen.get(name, 0) + LOOK_EVERY
        left = end - time.monotonic()
        print(f"\r{max(0, left) / 60:5.1f} minutes left; seen {seen or 'nothing'} ", end="")
        sys.stdout.flush()
    print()
    return seen


def total(place: Site, query: str) -> int:
    """The value of a query that gives one number."""
    [(_, value)] = place.prometheus(query)
    return round(value)


if __name__ == "__main__":
    sys.exit(main())
