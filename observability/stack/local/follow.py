"""Follows files on the terminal: the chat log, and the log of every component."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from observability.stack.local.layout import Layout
from observability.stack.local.supervise import Supervisor

HISTORY = 20  # lines of chat shown at first
TAIL = 5  # lines of each log
POLL = 0.3
ALIVE_EVERY = 10  # polls between two checks whether the platform still runs


class Followed:
    """A growing file that may be rotated or not exist yet."""

    def __init__(self, path: Path, history: int) -> None:
        self.path = path
        self._file: TextIO | None = None
        self._inode = 0
        self._rest = ""
        self._first = deque[str](maxlen=history)
        if self._open():
            self._first.extend(self._read())

    def lines(self) -> list[str]:
        """Return the whole lines written since the last call."""
        found = [*self._first, *self._read()]
        self._first.clear()
        if self._replaced() and self._open():
            found += self._read()
        return found

    def _open(self) -> bool:
        if self._file:
            self._file.close()
            self._file = None
        try:
            self._file = self.path.open(errors="replace")
        except OSError:
            return False
        self._inode = self.path.stat().st_ino
        return True

    def _replaced(self) -> bool:
        try:
            known = self.path.stat()
        except OSError:
            return False
        shorter = self._file is not None and known.st_size < self._file.tell()
        return self._file is None or known.st_ino != self._inode or shorter

    def _read(self) -> list[str]:
        if self._file is None:
            return []
        text = self._rest + self._file.read()
        *lines, self._rest = text.split("\n")
        return lines


def chat(layout: Layout) -> None:
    """Print the messages of the channel until the platform stops."""
    file = Followed(layout.settings.logs / "chat.log", HISTORY)

    def show() -> None:
        for line in file.lines():
            print(line)

    _until_stopped(layout, show)


def logs(layout: Layout) -> None:
    """Print the log lines of every component, with its name, until the platform stops."""
    folder = layout.settings.logs
    known: dict[Path, Followed] = {}

    def show() -> None:
        # The services' logs are JSON, for Promtail.
        for path in sorted([*folder.glob("*.log"), *folder.glob("json/*.log")]):
            file = known.get(path) or known.setdefault(path, Followed(path, TAIL))
            for line in file.lines():
                print(f"{path.stem:18} {line}")

    _until_stopped(layout, show)


def _until_stopped(layout: Layout, show: Callable[[], None]) -> None:
    """Print new lines again and again."""
    supervisor = Supervisor(layout.settings.run_dir)
    try:
        for number in itertools.count():
            show()
            sys.stdout.flush()
            if number % ALIVE_EVERY == 0 and not supervisor.pid:
                print("The platform has stopped.")
                return
            time.sleep(POLL)
    except BrokenPipeError:  # ``make logs | head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
