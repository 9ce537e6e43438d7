"""A minimal IRC client: reads a channel and lists its members."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Self

JOIN, PART, KICK, QUIT, NICK = "JOIN", "PART", "KICK", "QUIT", "NICK"
PRIVMSG = "PRIVMSG"
WELCOME, NAMES, END_OF_NAMES, NICK_TAKEN = "001", "353", "366", "433"
# What has fewer parameters is not from a chat server, and is skipped.
FEWEST = {KICK: 2, NICK: 1, PRIVMSG: 2, NAMES: 1}
LONGEST = 16_384  # bytes of a line; IRC allows 512, and 8191 of tags

PREFIXES = "@+%&~"  # of nicks, in lists


def file_setting(variable: str) -> str:
    """Return the contents of the file that a variable names; '' if there is none."""
    file = os.environ.get(variable, "")
    return Path(file).read_text().strip() if file and Path(file).exists() else ""


class Connection:
    """A connection registered as ``nick``; OSError if the server is down or refuses.

    ``sender`` is the nick, or the server, that sent the message read last.
    """

    def __init__(self, address: str, nick: str, password: str = "", timeout: float = 5) -> None:
        host, _, port = address.rpartition(":")
        self._timeout = timeout
        self._socket = socket.create_connection((host, int(port)), timeout)
        self._lines = self._socket.makefile("rb")
        self.sender = ""
        try:
            if password:
                self.send(f"PASS {password}")
            self.send(f"NICK {nick}")
            self.send(f"USER {nick} 0 * :MiniTwit")
            for command, parameters in self._replies():
                if command == WELCOME:
                    break
                if command == NICK_TAKEN:
                    raise ConnectionError(" ".join(parameters))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._lines.close()
        self._socket.close()

    def patience(self, seconds: float) -> None:
        """Set how long the server may be silent before it counts as down."""
        self._socket.settimeout(seconds)

    def send(self, line: str) -> None:
        """Send one line."""
        self._socket.sendall(f"{line}\r\n".encode())

    def messages(self, seconds: float = inf) -> Iterator[tuple[str, list[str]]]:
        """Yield command and parameters of each message; pings are answered on the way.

        TimeoutError if they go on for longer than ``seconds``.
        """
        end = time.monotonic() + seconds
        while raw := self._lines.readline(LONGEST):
            if time.monotonic() > end:
                raise TimeoutError("the chat server talks, but does not answer")
            line = raw.decode(errors="replace").rstrip("\r\n")
            self.sender = ""
            if line.startswith(":"):
                source, _, line = line[1:].partition(" ")
                self.sender = source.partition("!")[0]
            head, colon, trailing = line.partition(" :")
            words = head.split() + [trailing] * bool(colon)
            if not head.strip() or len(words) <= FEWEST.get(words[0], 0):
                continue
            command, *parameters = words
            if command == "PING":
                self.send(f"PONG :{' '.join(parameters)}")
            yield command, parameters
        raise ConnectionError("the chat server hung up")

    def _replies(self) -> Iterator[tuple[str, list[str]]]:
        """Yield messages while an answer is awaited: other messages must not keep it waiting."""
        return self.messages(2 * self._timeout)

    def watch(self, channel: str, members: set[str], command: str, parameters: list[str]) -> None:
        """Update ``members``, who is in a channel, by the message that was read last."""
        here = channel in parameters[:1]
        if command == NAMES and channel in parameters:
            members |= {nick.lstrip(PREFIXES) for nick in parameters[-1].split()}
        elif command == JOIN and here:
            members.add(self.sender)
        elif command == KICK and here:
            members.discard(parameters[1])
        elif command == QUIT or (command == PART and here):
            members.discard(self.sender)
        elif command == NICK and self.sender in members:
            members.discard(self.sender)
            members.add(parameters[0])

    def members(self, channel: str) -> set[str]:
        """Return the nicks in a channel."""
        self.send(f"NAMES {channel}")
        found: set[str] = set()
        for command, parameters in self._replies():
            if command == NAMES:
                found |= {nick.lstrip(PREFIXES) for nick in parameters[-1].split()}
            if command == END_OF_NAMES:
                break
        return found
