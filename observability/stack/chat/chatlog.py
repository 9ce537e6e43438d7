"""Reads the on-call room and appends what is said to a file, each line with its time (UTC).

python -m observability.stack.chat.chatlog HOST:PORT FILE
"""

from __future__ import annotations

import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from observability.stack.chat.irc import Connection
from observability.stack.targets import CHATLOG_NICK, ROOM

SILENCE = 300  # seconds: the server pings every two minutes, so then it is gone
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
    with Connection(address, CHATLOG_NICK) as chat:
        chat.send(f"JOIN {ROOM}")
        chat.patience(SILENCE)
        for command, parameters in chat.messages():
            if command == "PRIVMSG" and parameters[0] == ROOM:
                _append(file, f"{_now()} {parameters[-1]}\n")


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
