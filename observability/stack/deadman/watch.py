"""The signs of life that the dead man's switch watches, and its messages about them.

Three things must work for an alert to be read: the heartbeat (Prometheus and Alertmanager), the
chat, and the relay in the chat's channel.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from observability.stack.deadman.heartbeat import Heartbeat
from observability.stack.deadman.monitoring_blind import Blindness
from observability.stack.deadman.notify import Channel, Outbox, log

REMIND = 3600.0
TICK = 1.0  # seconds between two checks, at most
RUNBOOK = "alerts/runbooks/Watchdog.md"
Age = Callable[[], float]


@dataclass
class Sign:
    """A sign of life: lost when it is older than ``limit`` seconds.

    ``age`` returns its age; the texts have a place for it.
    """

    age: Age
    limit: float
    lost: str
    back: str
    gone: bool = False
    _told: float = field(default=0.0, repr=False)

    def look(self, outbox: Outbox) -> bool:
        """Report a change, and repeat a loss every hour; return whether it has just recovered."""
        gone, was, now = self.age() > self.limit, self.gone, time.monotonic()
        self.gone = gone
        if gone and (not was or now - self._told > REMIND):
            self._told = now
            outbox.put(f"[DEADMAN] {self.lost.format(self.age())}", lambda: self.gone)
        if was and not gone:
            outbox.put(f"[DEADMAN] {self.back}", lambda: not self.gone)
        return was and not gone


@dataclass
class Presence:
    """When the chat last answered, and when the relay was last in its channel."""

    channel: Channel
    relay: str
    every: float
    chat_seen: float = field(default_factory=time.monotonic)
    relay_seen: float = field(default_factory=time.monotonic)
    _looked: float = 0.0

    def look(self) -> None:
        """Query the chat, if it is due.

        While the chat is down nothing is known of the relay.
        """
        now = time.monotonic()
        if now - self._looked < self.every:
            return
        self._looked = now
        try:
            members = self.channel.members()
        except OSError:
            self.relay_seen = now
            return
        self.chat_seen = now
        if not self.relay or self.relay in members:
            self.relay_seen = now


class Watch:
    """Watches the heartbeat for ``silence`` seconds, chat and relay for two thirds of it."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        silence: float,
        outbox: Outbox,
        presence: Presence | None,
        blindness: Blindness | None,
    ) -> None:
        self.silence, self.outbox = silence, outbox
        self.presence, self.blindness = presence, blindness
        self._settled = 0.0
        self._complaints: dict[str, str] = {}
        self.beat = Sign(
            lambda: heartbeat.age, silence,
            "no Watchdog for {:.0f} s: alerts do not arrive, and no all-clear is announced. "
            f"Look at Prometheus, its disk, and Alertmanager - {RUNBOOK}",
            "the Watchdog is back: alerts arrive again.",
        )  # fmt: skip
        self.others = [] if presence is None else [
            Sign(
                lambda: time.monotonic() - presence.chat_seen, silence * 2 / 3,
                f"the chat has not answered for {{:.0f}} s: nobody reads alerts there - {RUNBOOK}",
                "the chat is back; alerts of the time between may be missing here: "
                "look at Alertmanager.",
            ),
            Sign(
                lambda: time.monotonic() - presence.relay_seen, silence * 2 / 3,
                f"the relay has not been in the channel for {{:.0f}} s: alerts do not come here. "
                f"Look at the relay, and at Alertmanager for what fires - {RUNBOOK}",
                "the relay is back: alerts come here again.",
            ),
        ]  # fmt: skip

    def run(self, over: threading.Event) -> None:
        """Check again and again until ``over`` is set."""
        self.look()  # at once: a process that was killed before may not live for a tick either
        while not over.wait(min(TICK, self.silence / 10)):
            self.look()

    def look(self) -> None:
        """Check once. Alertmanager comes first: it must know before its alerts expire.

        Each step is on its own: whatever fails in one, what must be said is said.
        """
        steps = {
            "the heartbeat is not checked": self._look_at_heartbeat,
            "Alertmanager is not told": self._blind,
            "the chat is not checked": self._look_at_chat,
            "nothing is told": self.outbox.send,
        }
        for name, step in steps.items():
            try:
                step()
            except Exception as error:  # anything may answer at an address
                self._complain(name, f"{name}: {error or type(error).__name__}")

    def _complain(self, step: str, text: str) -> None:
        """Log a problem of a step once, until it has another one."""
        if text != self._complaints.get(step):
            log(text)
        self._complaints[step] = text

    def _look_at_heartbeat(self) -> None:
        if self.beat.look(self.outbox):
            self._settled = time.monotonic() + self.silence * 2 / 3

    def _look_at_chat(self) -> None:
        if self.presence:
            self.presence.look()
        for sign in self.others:
            sign.look(self.outbox)

    def _blind(self) -> None:
        """Keep MonitoringBlind while the heartbeat is lost, and until Prometheus has settled."""
        blindness = self.blindness
        if blindness is None:
            return
        settling = blindness.posted and time.monotonic() < self._settled
        if self.beat.gone or settling:
            blindness.keep()
        elif blindness.posted:
            still, opened = blindness.firing(), blindness.open
            blindness.end()
            if opened:
                self.outbox.put(f"[DEADMAN] {account(opened, still)}")


def account(opened: list[str], still: set[str]) -> str:
    """Describe what became of the alerts that fired when the heartbeat was lost."""
    lasting = [name for name in opened if name in still]
    ended = [name for name in opened if name not in still]
    said = {
        f"open before and still firing: {_list(lasting)}": lasting,
        f"open before and firing no more: {_list(ended)}": ended,
    }
    return "; ".join(text for text, names in said.items() if names)


def _list(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
