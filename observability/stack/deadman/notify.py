"""The notifications of the dead man's switch: to the chat channel and to a URL."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from observability.stack import http_answer
from observability.stack.irc.client import Connection
from observability.stack.targets import CHANNEL, DEADMAN_NICK, VOICES_CHANNEL

PATIENCE = 5.0
LONGEST = 400  # bytes of a line: IRC cuts at 512 with its own header
# Host, port and path; urllib cannot use one with a user.
URL = re.compile(r"https?://([a-zA-Z0-9_.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?([/?][!-~]*)?")


def log(text: str) -> None:
    """Print a line; a log that cannot be written keeps nothing from being said."""
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)


class Channel:
    """A connection to the on-call channel, kept open, and reopened when it was lost."""

    def __init__(self, chat: str, password: str = "", key: str = "") -> None:
        self._chat, self._password, self._key = chat, password, key
        self._seat: Connection | None = None

    def members(self) -> set[str]:
        """Return who is in the channel; OSError if the chat is down."""
        try:
            return self._sit().members(CHANNEL)
        except OSError:
            self._leave()
            raise

    def say(self, text: str) -> None:
        """Send a message; OSError if the chat did not accept it."""
        try:
            line = text.encode(errors="replace")[:LONGEST].decode(errors="ignore")
            self._sit().send(f"PRIVMSG {CHANNEL} :{line}")
        except OSError:
            self._leave()
            raise
        self.members()  # its reply confirms that the message before was accepted

    def _sit(self) -> Connection:
        if self._seat is None:
            self._seat = Connection(self._chat, DEADMAN_NICK, self._password, PATIENCE)
            self._seat.send(f"JOIN {VOICES_CHANNEL} {self._key}")
            self._seat.send(f"JOIN {CHANNEL}")
        return self._seat

    def _leave(self) -> None:
        if self._seat:
            self._seat.close()
        self._seat = None


def post(url: str, text: str) -> None:
    """Post to DEADMAN_URL; OSError if it was not accepted."""
    call = urllib.request.Request(  # noqa: S310  # the address is the operator's own
        url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
    )
    http_answer.body(call, PATIENCE, most=0)


@dataclass(frozen=True, slots=True)
class Message:
    """A message for one destination: ``tell`` sends it or raises an error.

    It is obsolete once ``true`` returns False.
    """

    text: str
    tell: Callable[[str], None]
    true: Callable[[], bool]


class Outbox:
    """Undelivered messages, retried at each ``send`` until delivered or obsolete."""

    def __init__(self, ways: list[Callable[[str], None]]) -> None:
        self._ways = ways
        self._waiting: list[Message] = []
        self._errors: set[str] = set()  # each is logged once, not every second

    def put(self, text: str, true: Callable[[], bool] = lambda: True) -> None:
        """Add a message for every destination."""
        self._waiting += [Message(text, way, true) for way in self._ways]
        log(text)

    def send(self) -> None:
        """Try to deliver each message once; keep those that fail."""
        self._waiting = [m for m in self._waiting if m.true() and not self._told(m)]
        if not self._waiting:
            self._errors.clear()

    def _told(self, message: Message) -> bool:
        try:
            message.tell(message.text)
        except Exception as error:  # whatever one destination does, the others are told
            if str(error) not in self._errors:
                log(f"not told: {error}")
            self._errors.add(str(error))
            return False
        return True
