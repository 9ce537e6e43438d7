"""Runs one drill: baseline, fault, firing, message, recovery, all-clear."""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from tests.drills import runbook
from tests.drills.site import Message, Site, complaint
from tests.drills.table import BURN, FAST, Drill

BASELINE, FIRING, CHAT, RESOLVED = 90.0, 120.0, 120.0, 180.0  # seconds at most
POLL = 0.25
SILENCE = 8.0  # seconds; the relay says its longest lines five seconds apart
DRAINED = 40.0  # at the pace of drills the longest inhibition is 15 s, a group waits as long
TALK = "somebody is talking"


class DrillFailed(AssertionError):
    """What did not come, or came and should not."""


@dataclass
class Row:
    """One line of the table: seconds from the fault, and from the recovery to the all-clear."""

    alert: str
    drill: str
    fault: str
    firing: float = 0
    chat: float = 0
    resolved: float = 0
    text: str = ""


@dataclass
class Watch:
    """What was seen of the drill's alerts so far."""

    site: Site
    drill: Drill
    since: int
    begin: float = field(default_factory=time.monotonic)
    firing: dict[str, float] = field(default_factory=dict)
    chat: dict[str, float] = field(default_factory=dict)
    resolved: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    places: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    read: int = 0

    def look(self) -> None:
        """Note what is new; DrillFailed at an alert that this drill does not declare."""
        now = time.monotonic() - self.begin
        for name, state in self.site.active().items():
            if state == "firing":
                self.firing.setdefault(name, now)
        news = self.site.messages(self.since)
        for message in news[self.read :]:
            if message.name not in self.drill.declared:
                continue
            if wrong := complaint(message):
                raise DrillFailed(f"{wrong}: {message.text}")
            self._note(message, now)
        self.read = len(news)
        stray = self.firing.keys() - self.drill.declared
        if stray:
            raise DrillFailed(f"fired undeclared: {', '.join(sorted(stray))}")

    def _note(self, message: Message, now: float) -> None:
        """An alert stands until each place that it was told of has its all-clear."""
        name, place = message.name, (message.service, message.instance)
        places = self.places.setdefault(name, set())
        if message.status == "FIRING":
            self.chat.setdefault(name, now)
            self.texts.setdefault(name, message.text.partition(" ")[2])
            self.resolved.pop(name, None)
            places.add(place)
        elif place in places:
            places.remove(place)
            if not places:
                self.resolved.setdefault(name, now)

    def until(self, what: str, done: Callable[[], object], seconds: float) -> None:
        """Look again and again; DrillFailed naming what is missing when time is up."""
        deadline = time.monotonic() + seconds
        while True:
            self.look()
            if done():
                return
            if time.monotonic() > deadline:
                raise DrillFailed(f"{what}: not within {seconds:g} s; seen {self.seen()}")
            time.sleep(POLL)

    def seen(self) -> str:
        """For people."""
        return f"firing {sorted(self.firing)}, in the room {sorted(self.chat)}"

    def standing(self) -> bool:
        """Whether the last that was said of each alert of the drill is that it fires."""
        return set(self.drill.fires) <= self.chat.keys() - self.resolved.keys()

    def all_in(self, what: dict[str, float]) -> Callable[[], bool]:
        """Whether every alert of the drill is there."""
        return lambda: set(self.drill.fires) <= what.keys()


def settle(site: Site, declared: Container[str] = ()) -> None:
    """Wait until nothing is wrong: a drill on top of a fault proves nothing.

    At the quickest pace, where a day takes four minutes, what is ``declared`` may come and go.
    """
    deadline = time.monotonic() + BASELINE
    while trouble := {name for name in troubles(site) if name not in declared}:
        if time.monotonic() > deadline:
            raise DrillFailed(f"the baseline is not quiet: {', '.join(sorted(trouble))}")
        time.sleep(POLL)


def troubles(site: Site) -> set[str]:
    """Alerts that are pending or fire, but burn rates, and components that do not run."""
    processes = site.supervisor.processes().items()
    idle = {name for name, p in processes if p.state not in ("RUNNING", "EXITED")}
    # The relay sends a line every three seconds: what it has not said yet belongs to the past.
    talk = {TALK} if time.time() - site.chat_time() < SILENCE else set()
    return (site.active().keys() - set(BURN)) | idle | talk


def exactly(drill: Drill, site: Site, watch: Watch) -> None:
    """DrillFailed if the room heard anything else than the drill says, also while windows drain."""
    if not drill.said:
        return
    end = time.monotonic() + DRAINED
    while time.monotonic() < end:
        time.sleep(POLL)
        # Which alerts, in which order; each instance of an alert has a line of its own.
        said = dict.fromkeys(f"{m.status} {m.name}" for m in site.messages(watch.since))
        found = list(said)
        if found != list(drill.said):
            raise DrillFailed(f"the room heard {found}, not {list(drill.said)}")


def run(drill: Drill, site: Site) -> list[Row]:
    """One row for each alert that the drill proves; DrillFailed says why there are none."""
    settle(site, {*drill.also, TALK} if drill.scale == FAST else ())
    watch = Watch(site, drill, len(site.chat_lines()))
    with drill.fault(site):
        watch.until("firing", watch.all_in(watch.firing), FIRING)
        if not drill.late:
            watch.until("a message in the room", watch.standing, CHAT)
        runbook.look(drill, site)
    mended = time.monotonic() - watch.begin
    watch.until("a message in the room", watch.all_in(watch.chat), CHAT)
    watch.until("the all-clear in the room", watch.all_in(watch.resolved), RESOLVED)
    runbook.over(drill, site)
    exactly(drill, site, watch)
    stray = site.fired_within(time.monotonic() - watch.begin) - drill.declared
    if stray:
        raise DrillFailed(f"fired undeclared: {', '.join(sorted(stray))}")
    return [
        Row(
            name, drill.name, drill.what, round(watch.firing[name], 1),
            round(watch.chat[name], 1), round(watch.resolved[name] - mended, 1), watch.texts[name],
        )
        for name in drill.fires
    ]  # fmt: skip
