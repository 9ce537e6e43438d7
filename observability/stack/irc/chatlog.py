"""Appends the messages of the on-call channel to a file, each with its time (UTC).

A person's message has the person's nick before it, so that no one can pose as the alerts. Who is in
the voices' channel is no person: only the relay and the dead man's switch have its key. A nick
proves nothing: anyone can take the relay's while it is down, and the relay has another one then.
Control characters are escaped: no message moves the
cursor of a terminal that shows the file.

python -m observability.stack.irc.chatlog HOST:PORT FILE
"""

from __future__ import annotations

import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from observability.stack.irc.client import PRIVMSG, Connection, file_setting
from observability.stack.targets import CHANNEL, CHATLOG_NICK, VOICES_CHANNEL

SILENCE = 300  # seconds: the server pings every two minutes, so it is down then
LIMIT = 5_000_000  # bytes, at which the file is rotated to .1


def main(address: str, file: Path) -> None:
    """Follow the channel for ever; reconnect after a lost connection."""
    while True:
        try:
            follow(address, file)
        except OSError as error:
            print(f"{_now()} {error}; again in a second", flush=True)
        time.sleep(1)


def follow(address: str, file: Path) -> None:
    """Append messages until the connection breaks (OSError)."""
    with Connection(address, CHATLOG_NICK, file_setting("CHAT_PASSWORD_FILE")) as chat:
        chat.send(f"JOIN {VOICES_CHANNEL} {file_setting('RELAY_KEY_FILE')}")
        chat.send(f"JOIN {CHANNEL}")
        chat.patience(SILENCE)
        believed: set[str] = set()
        for command, parameters in chat.messages():
            chat.watch(VOICES_CHANNEL, believed, command, parameters)
            if command == PRIVMSG and parameters[0] == CHANNEL:
                who = "" if chat.sender in believed else f"<{escaped(chat.sender)}> "
                _append(file, f"{_now()} {who}{escaped(parameters[-1])}\n")


def escaped(text: str) -> str:
    """Escape non-printable characters of ``text`` as in Python's literals."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _append(file: Path, line: str) -> None:
    if file.exists() and file.stat().st_size > LIMIT:
        file.replace(file.with_suffix(".log.1"))
    with file.open("a") as log:
        log.write(line)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main(sys.argv[1], Path(sys.argv[2]))
