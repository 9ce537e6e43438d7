"""Where the log's lines go: standard output, or a file that is begun anew when it is full."""

from __future__ import annotations

import fcntl
import sys
from pathlib import Path
from typing import BinaryIO, Protocol

WRITERS = 100  # replicas that may write logs into one folder


class Sink(Protocol):
    """Where lines go."""

    def write(self, data: bytes) -> None:
        """Write whole lines; raises OSError or ValueError if they are lost."""

    def close(self) -> None:
        """Nothing more will come."""


class Stdout:
    """The standard output of the process."""

    def write(self, data: bytes) -> None:
        """Write and flush."""
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def close(self) -> None:
        """Leave it open: it is not ours."""


class RotatingFile:
    """Append-only, renamed to ``.1`` (``.2`` …) when full: followers see rename and create.

    Replicas may be given the same path: a file has one writer, the next one takes ``NAME-2.log``.
    """

    def __init__(self, path: Path, limit: int, keep: int) -> None:
        """``limit``: the bytes at which it is full; ``keep``: how many full ones stay."""
        self._wanted = self._path = path
        self._limit, self._keep = limit, keep
        self._file: BinaryIO | None = None
        self._lock: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Append ``data``; raises OSError, after which the next call opens the file anew."""
        try:
            if self._file is None:
                self._claim()
                self._file = self._path.open("ab", buffering=0)
            if self._file.tell() and self._file.tell() + len(data) > self._limit:
                self._rotate()
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            self._close_file()
            raise

    def close(self) -> None:
        """Close the file and leave it to others."""
        self._close_file()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _claim(self) -> None:
        """Take the first name that no other process writes to; a device or pipe is for all."""
        self._wanted.parent.mkdir(parents=True, exist_ok=True)
        if self._lock or (self._wanted.exists() and not self._wanted.is_file()):
            return
        for number in range(1, WRITERS + 1):
            stem = f"{self._wanted.stem}-{number}" if number > 1 else self._wanted.stem
            self._path = self._wanted.with_stem(stem)
            lock = self._path.with_name(f"{self._path.name}.lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
            else:
                self._lock = lock
                return
        raise OSError(f"{WRITERS} other processes write to {self._wanted}")

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rotate(self) -> None:
        self._close_file()
        for number in range(self._keep - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._file = self._path.open("ab", buffering=0)
