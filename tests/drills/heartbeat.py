"""Times of the dead man's switch at production's intervals.

``python -m tests.drills.heartbeat``: api is stopped, and the channel gets the alert; then
Prometheus is stopped, and the channel must get a message within 120 s that alerts do not arrive,
and never an all-clear of api. After that Alertmanager, the relay and the chat are stopped, each by
itself. Takes about 15 minutes; writes results/heartbeat.json.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from observability.conventions import DEADMAN_SECONDS, MONITORING_BLIND, RESEND_SECONDS
from observability.time_scale import TimeScale
from tests import results
from tests.drills.__main__ import running_site
from tests.drills.site import Site
from tests.parts import request, wait_for

LIMIT = 120.0  # seconds at production's pace, whichever part is gone
EXPIRY = 4 * RESEND_SECONDS  # what Alertmanager keeps an alert for
GROUP = 30.0  # between two messages of a page's group
DOWN = "MiniTwitTargetDown"
BLIND = (MONITORING_BLIND, "prometheus")


def main() -> int:
    """0 if all was told in time, and nothing false."""
    with running_site(1, small=False) as site:
        rows = {"prometheus": false_all_clear(site, 1)}
        print(rows["prometheus"], flush=True)
        for component, words in GONE.items():
            rows[component] = {"told": gone(site, component, words)}
            print(component, rows[component], flush=True)
    late = [name for name, row in rows.items() if row["told"] > LIMIT]
    result: dict[str, Any] = {
        "limit": LIMIT, "silence": DEADMAN_SECONDS, "resend": RESEND_SECONDS,
        "expiry": EXPIRY, "seconds": rows, "late": late,
    }  # fmt: skip
    results.write("heartbeat", results.stamped(result))
    print(f"late: {', '.join(late) or 'none'}")
    return 1 if late else 0


def said(site: Site, what: str, since: int) -> list[str]:
    """Return lines of the dead man's switch in the channel."""
    return [line for line in site.chat_lines()[since:] if f"[DEADMAN] {what}" in line]


def age(site: Site) -> float:
    """Seconds since the heartbeat advanced."""
    text = request("GET", site.url("deadman") + "/metrics").body.decode()
    return float(text.split()[-1])


def quiet(site: Site) -> bool:
    """Return whether all reported alerts are over, and the relay's queue is empty."""
    return not site.unsaid() and not site.standing() and (DOWN, "api") not in site.held()


def told(site: Site, status: str, since: int) -> bool:
    """Return whether the channel got this status of api's target."""
    found = [(m.status, m.name, m.service) for m in site.messages(since)]
    return (status, DOWN, "api") in found


def false_all_clear(site: Site, scale: float) -> dict[str, float]:
    """The seconds from Prometheus's end until each thing that has to follow.

    AssertionError if the channel gets an all-clear of api while it is stopped.
    """
    time_scale = TimeScale(scale)
    silence, patience = time_scale.deadman_timeout(DEADMAN_SECONDS), 120 + 200 / scale
    wait_for("a beat", lambda: age(site) < silence / 2, patience)
    wait_for("a quiet start", lambda: quiet(site), patience)
    since = len(site.chat_lines())
    site.stop("api")
    wait_for("the page", lambda: told(site, "FIRING", since) and not site.unsaid(), patience)
    since = len(site.chat_lines())
    site.stop("prometheus")
    begin = time.monotonic()

    def seconds(what: str, happened: Callable[[], object]) -> float:
        wait_for(what, happened, patience)
        return round(time.monotonic() - begin, 1)

    found = {
        "blind": seconds("MonitoringBlind", lambda: BLIND in site.held()),
        "told": seconds("the complaint", lambda: said(site, "no Watchdog for", since)),
        "expired": seconds("its expiry", lambda: (DOWN, "api") not in site.held()),
    }
    # Two flushes of its group later it would have been said.
    end = time.monotonic() + 2 * GROUP / scale
    while time.monotonic() < end:
        assert not told(site, "RESOLVED", since), (
            f"a false all-clear: {found} {site.chat_lines()[since:]}"
        )
        time.sleep(0.5)
    site.start("prometheus")
    begin = time.monotonic()
    found["back"] = seconds("the good news", lambda: said(site, "the Watchdog is back", since))
    still = "open before and still firing: "
    found["account"] = seconds("what was open", lambda: said(site, still, since))
    assert f"{DOWN} of api" in said(site, still, since)[0]
    assert not told(site, "RESOLVED", since), (
        f"a false all-clear: {found} {site.chat_lines()[since:]}"
    )
    site.start("api")
    begin = time.monotonic()
    found["all-clear"] = seconds("the true all-clear", lambda: told(site, "RESOLVED", since))
    return found


# The switch's messages, in the channel or, where there is none, in its log.
GONE = {
    "alertmanager": ("no Watchdog for", "the Watchdog is back"),
    "relay": ("the relay has not been", "the relay is back"),
    "ngircd": ("the chat has not answered", "the chat is back"),
}


def gone(site: Site, component: str, words: tuple[str, str]) -> float:
    """Return the seconds until the switch reported a stopped component; start it again."""
    log = site.run_dir / "logs/deadman.log"
    patience = 200.0
    wait_for("a beat", lambda: age(site) < DEADMAN_SECONDS / 2, patience)
    before, since = log.stat().st_size, len(site.chat_lines())

    def spoken(text: str) -> bool:
        with log.open() as file:
            file.seek(before)
            logged = f"[DEADMAN] {text}" in file.read()
        return logged and (component == "ngircd" or bool(said(site, text, since)))

    site.stop(component)
    begin = time.monotonic()
    wait_for(words[0], lambda: spoken(words[0]), patience)
    seconds = round(time.monotonic() - begin, 1)
    site.start(component)
    wait_for(words[1], lambda: said(site, words[1], since), patience)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
