"""How the dead man's switch speaks: in the chat as a member of its own, and to an address."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from observability.stack.chat.irc import Connection
from observability.stack.targets import CHANNEL, DEADMAN_NICK

PATIENCE = 5.0
LONGEST = 400  # bytes of a line: IRC cuts at 512 with its own header


class Channel:
    """A seat in the on-call channel, kept, and taken again when it was lost."""

    def __init__(self, chat: str, password: str = "") -> None:
        self._chat, self._password = chat, password
        self._seat: Connection | None = None

    def members(self) -> set[str]:
        """Who is in the room; OSError if the chat is away."""
        try:
            return self._sit().members(CHANNEL)
        except OSError:
            self._leave()
            raise

    def say(self, text: str) -> None:
        """Say it; OSError if the chat did not take it."""
        try:
            self._sit().send(
                f"PRIVMSG {CHANNEL} :{text.encode()[:LONGEST].decode(errors='ignore')}"
            )
        except OSError:
            self._leave()
            raise
        self.members()  # the answer says that what came before was taken

    def _sit(self) -> Connection:
        if self._seat is None:
            self._seat = Connection(self._chat, DEADMAN_NICK, self._password, PATIENCE)
            self._seat.send(f"JOIN {CHANNEL}")
        return self._seat

    def _leave(self) -> None:
        if self._seat:
            self._seat.close()
        self._seat = None


def post(url: str, text: str) -> None:
    """Tell what is behind DEADMAN_URL; OSError if it was not taken."""
    call = urllib.request.Request(  # noqa: S310  # the address is the operator's own
        url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(call, timeout=PATIENCE):  # noqa: S310
        pass


@dataclass(frozen=True, slots=True)
class Message:
    """``tell`` raises OSError; nobody needs it any more once ``true`` gives False."""

    text: str
    tell: Callable[[str], None]
    true: Callable[[], bool]


class Outbox:
    """What could not be told yet; each is tried at each ``send`` until it was told or is untrue."""

    def __init__(self, ways: list[Callable[[str], None]]) -> None:
        self._ways = ways
        self._waiting: list[Message] = []
        self._errors: set[str] = set()  # each is logged once, not every second

    def put(self, text: str, true: Callable[[], bool] = lambda: True) -> None:
        """Tell this by every way."""
        print(text, flush=True)
        self._waiting += [Message(text, way, true) for way in self._ways]

    def send(self) -> None:
        """Try once; what fails waits for the next time."""
        self._waiting = [m for m in self._waiting if m.true() and not self._told(m)]
        if not self._waiting:
            self._errors.clear()

    def _told(self, message: Message) -> bool:
        try:
            message.tell(message.text)
        except OSError as error:
            if str(error) not in self._errors:
                print(f"not told: {error}", flush=True)
            self._errors.add(str(error))
            return False
        return True
