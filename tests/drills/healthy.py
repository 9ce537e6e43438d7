"""``make healthy``: load at production's pace in which nothing may fire.

First an hour. Then what an operator does to a healthy platform, one after the other, each with
minutes of watching: ``make down; make up`` three times, a new version, a backup, and a rotation
of the log files, which is forced by files of 1 MB. Writes results/healthy.json, if nothing was
shortened: every alert that was pending, and every one that fired.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from tests import results
from tests.drills.__main__ import running_site
from tests.drills.site import QUIET, Site
from tests.parts import end_as_by_hand, wait_for

LOOK_EVERY = 15.0  # seconds
MINUTES, PAUSE = 60.0, 10.0  # of watching: at first, and after each act
ROTATED = 1_000_000  # bytes of a log file


def main() -> int:
    """0 if nothing but the Watchdog fired."""
    parser = argparse.ArgumentParser(prog="make healthy", description=__doc__)
    for name, default in (("--minutes", MINUTES), ("--pause", PAUSE)):
        text = "default: %(default)g"
        parser.add_argument(name, type=float, default=default, metavar="N", help=text)
    options = parser.parse_args()
    end_as_by_hand()
    with running_site(1, LOG_FILE_BYTES=str(ROTATED)) as site:
        found = observed(site, options.minutes * 60, options.pause * 60)
    if options.minutes >= MINUTES and options.pause >= PAUSE:
        results.write("healthy", results.stamped(found))
    print(f"{found['actions']:,} actions, {found['actions_ok']:,} ok")
    print(f"fired: {found['fired'] or 'nothing'}; in the chat: {found['said'] or 'nothing'}")
    return 1 if found["fired"] or found["said"] or not found["watchdog"] else 0


def observed(site: Site, first: float, pause: float) -> dict[str, Any]:
    """Return what was seen in ``first`` seconds, and in ``pause`` after each act."""
    begin = time.time()
    pending = {"at first": watch(site, "at first", first)}
    for name, act in ACTS.items():
        act(site)
        pending[name] = watch(site, name, pause)
    seconds = round(time.time() - begin)
    actions = "increase(minitwit_simulator_actions_total{}[" + f"{seconds}s])"
    watchdog = total(site, f'max_over_time(ALERTS{{alertname="{QUIET}"}}[5m])')
    return {
        "minutes": round(seconds / 60),
        "acts": list(ACTS),
        "actions": total(site, f"sum({actions})"),
        "actions_ok": total(site, f"sum({actions})".replace("{}", '{outcome="ok"}')),
        "pending": pending,
        "fired": sorted(site.fired_within(seconds)),
        "said": [message.text for message in site.messages()],
        "watchdog": watchdog == 1,
    }


def restart(site: Site) -> None:
    """Stop and start the whole platform."""
    site.down()
    site.up()


def deploy(site: Site) -> None:
    """Start the services anew as another version, with one setting changed."""
    site.environment["DRAIN_SECONDS"] = "1"
    said = site.up().stdout
    assert "Restarted because they changed" in said, said


def back_up(site: Site) -> None:
    """Take a backup of the database that runs."""
    done = site.run("backup")
    assert done.returncode == 0, done.stdout + done.stderr


def rotation(site: Site) -> None:
    """Wait until a service has filled its log file and begun another."""
    rotated = site.run_dir / "logs/json/api.log.1"
    wait_for("a rotated log file", rotated.exists, 3600)


ACTS: dict[str, Callable[[Site], None]] = {
    "down and up": restart,
    "down and up again": restart,
    "down and up a third time": restart,
    "deploy": deploy,
    "backup": back_up,
    "rotation": rotation,
}


def watch(site: Site, after: str, seconds: float) -> dict[str, float]:
    """Return for how many seconds each alert was pending or firing."""
    seen: dict[str, float] = {}
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(LOOK_EVERY, left))
        for name in site.active():
            seen[name] = seen.get(name, 0) + LOOK_EVERY
        print(f"\r{after}: {left / 60:5.1f} minutes left; seen {seen or 'nothing'} ", end="")
        sys.stdout.flush()
    print()
    return seen


def total(site: Site, query: str) -> int:
    """The value of a query that gives one number."""
    [(_, value)] = site.prometheus(query)
    return round(value)


if __name__ == "__main__":
    sys.exit(main())
