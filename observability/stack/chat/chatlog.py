"""Reads the on-call channel and appends what is said to a file, each line with its time (UTC).

What a person says has the person's name before it, so that nobody speaks as the alerts. Control
characters are escaped: no line moves the cursor of who reads the file in a terminal.

python -m observability.stack.chat.chatlog HOST:PORT FILE
"""

from __future__ import annotations

import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from observability.stack.chat.irc import Connection, held
from observability.stack.targets import CHANNEL, CHATLOG_NICK, DEADMAN_NICK, RELAY_NICK

SILENCE = 300  # seconds: the server pings every two minutes, so then it is gone
VOICES = {RELAY_NICK, DEADMAN_NICK}  # whose lines are alerts
LIMIT = 5_000_000  # bytes; then the file is put aside once


def main(address: str, file: Path) -> None:
    """Follow the room for ever; a lost connection is taken up again."""
    while True:
        try:
            follow(address, file)
        except OSError as error:
            print(f"{_now()} {error}; again in a second", flush=True)
        time.sleep(1)


def follow(address: str, file: Path) -> None:
    """Write down what is said until the connection breaks (OSError)."""
    with Connection(address, CHATLOG_NICK, held("CHAT_PASSWORD_FILE")) as chat:
        chat.send(f"JOIN {CHANNEL}")
        chat.patience(SILENCE)
        for command, parameters in chat.messages():
            if command == "PRIVMSG" and parameters[0] == CHANNEL:
                who = "" if chat.sender in VOICES else f"<{escaped(chat.sender)}> "
                _append(file, f"{_now()} {who}{escaped(parameters[-1])}\n")


def escaped(text: str) -> str:
    """``text`` with each character that is not printable in the way of Python's literals."""
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
