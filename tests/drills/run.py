"""Runs one drill: baseline, fault, firing, message, recovery, all-clear, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from alerts.objectives import YOUNG
from observability.time_scale import TimeScale
from tests.drills import runbook
from tests.drills.site import MADE_UP, Message, Site, complaint
from tests.drills.table import BURN, FAST, Drill, as_said
from tests.parts import wait_for

BASELINE, FIRING, CHAT, RESOLVED = 90.0, 120.0, 120.0, 180.0  # seconds at most
# At production's pace: windows drain for five minutes, and Alertmanager looks at a ticket again
# after as many.
BASELINE_1, RESOLVED_1 = 600.0, 600.0
POLL = 0.25
TALK = "an alert without an all-clear in the chat"


class DrillFailed(AssertionError):
    """What did not come, or came and should not."""


@dataclass
class Row:
    """A table row: seconds from the fault, and from recovery to the all-clear."""

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
    open_instances: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    heard: list[Message] = field(default_factory=list)

    def look(self) -> None:
        """Note what is new; DrillFailed at a message that this drill does not declare."""
        now = time.monotonic() - self.begin
        for name, state in self.site.active().items():
            if state == "firing":
                self.firing.setdefault(name, now)
        for message in self.site.messages(self.since)[len(self.heard) :]:
            self.heard.append(message)
            if message.name == MADE_UP:
                continue
            if wrong := complaint(message):
                raise DrillFailed(f"{wrong}: {message.text}")
            if message.name not in self.drill.declared:
                raise DrillFailed(f"the chat got an undeclared message: {self.line(message)}")
            self._note(message, now)

    def _note(self, message: Message, now: float) -> None:
        """An alert is open until each instance in its messages has its all-clear."""
        name, instance = message.name, (message.service, message.instance)
        instances = self.open_instances.setdefault(name, set())
        again = (instance in instances) == (message.status == "FIRING")
        if again and self.drill.exact and name in self.drill.fires:
            raise DrillFailed(f"the chat got a second time: {self.line(message)}")
        if message.status == "FIRING":
            self.chat.setdefault(name, now)
            self.texts.setdefault(name, message.text.partition(" ")[2])
            self.resolved.pop(name, None)
            instances.add(instance)
        elif instance in instances:
            instances.remove(instance)
            if not instances:
                self.resolved.setdefault(name, now)

    def line(self, message: Message) -> str:
        """A message as the table writes it."""
        return f"{message.status} {message.name} {message.service}"

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
        return f"firing {sorted(self.firing)}, in the chat {[self.line(m) for m in self.heard]}"

    def standing(self) -> bool:
        """Whether the last message on each alert of the drill is that it fires."""
        return set(self.drill.fires) <= self.chat.keys() - self.resolved.keys()

    def all_in(self, what: dict[str, float]) -> Callable[[], bool]:
        """Whether every alert of the drill is there."""
        return lambda: set(self.drill.fires) <= what.keys()


def settle(site: Site, declared: Container[str] = ()) -> None:
    """Wait until nothing is wrong: a drill on top of a fault proves nothing.

    At the quickest pace, where a day takes four minutes, what is ``declared`` may come and go.
    """
    deadline = time.monotonic() + (BASELINE if site.scale > 1 else BASELINE_1)
    while trouble := {name for name in troubles(site) if name not in declared}:
        if time.monotonic() > deadline:
            raise DrillFailed(f"not quiet: {', '.join(sorted(trouble))}")
        time.sleep(POLL)


def troubles(site: Site) -> set[str]:
    """Return stopped components, and alerts without an all-clear, but burn rates."""
    processes = site.supervisor.processes().items()
    idle = {name for name, p in processes if p.state not in ("RUNNING", "EXITED")}
    told = {name for name, _, _ in site.standing()}
    alerts = site.active(unheard=True).keys() | told
    return (alerts - set(BURN)) | idle | ({TALK} if site.unsaid() else set())


def exactly(drill: Drill, site: Site, watch: Watch) -> None:
    """Raise DrillFailed if the channel got other messages, also while windows drain."""
    if not drill.exact:
        return
    settle(site)
    watch.look()
    found = [watch.line(m) for m in watch.heard if m.name in drill.fires]
    if not as_said(drill.said, found):
        raise DrillFailed(f"the chat got {found}, not {list(drill.said)}")


def run(drill: Drill, site: Site) -> list[Row]:
    """One row for each alert that the drill proves; DrillFailed says why there are none."""
    settle(site, {*drill.declared, TALK} if drill.scale == FAST else ())
    warm = f"up offset {TimeScale(site.scale).warm_up(YOUNG)}"
    wait_for("the end of the warm-up", lambda: site.prometheus(warm))
    watch = Watch(site, drill, len(site.chat_lines()))
    with drill.fault(site):
        watch.until("firing", watch.all_in(watch.firing), FIRING)
        if not drill.late:
            watch.until("a message in the chat", watch.standing, CHAT)
        runbook.look(drill, site)
    mended = time.monotonic() - watch.begin
    watch.until("a message in the chat", watch.all_in(watch.chat), CHAT)
    patience = RESOLVED if site.scale > 1 else RESOLVED_1
    watch.until("the all-clear in the chat", watch.all_in(watch.resolved), patience)
    runbook.over(drill, site)
    exactly(drill, site, watch)
    return [
        Row(
            name, drill.name, drill.what, round(watch.firing[name], 1),
            round(watch.chat[name], 1), round(watch.resolved[name] - mended, 1), watch.texts[name],
        )
        for name in drill.fires
    ]  # fmt: skip
