"""The log file: append, rotate by rename and create, reopen when it was moved."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import BinaryIO

WRITERS = 100  # replicas that may write logs to one folder


class LogFile:
    """An append-only file, renamed to ``.1`` (``.2`` …) when it is full.

    Replicas may be given the same path: a file has one writer, the next one takes ``NAME-2.log``.
    """

    def __init__(self, path: Path, limit: int, keep: int) -> None:
        """Set the rotation: ``limit`` bytes for each file, ``keep`` full ones."""
        self._wanted = self._path = path
        self._limit, self._keep = limit, keep
        self._file: BinaryIO | None = None
        self._lock: BinaryIO | None = None
        self._torn = False  # the file may end in an incomplete line

    def write(self, data: bytes) -> None:
        """Append ``data``; raises OSError, after which the next call reopens the file."""
        try:
            file = self._ready(len(data))
            # End a line that a full disk truncated.
            view = memoryview(b"\n" + data if self._torn else data)
            while view:
                view = view[file.write(view) :]
            self._torn = False
        except OSError:
            self._close_file()
            raise

    def close(self) -> None:
        """Close the file and release its lock."""
        self._close_file()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _ready(self, more: int) -> BinaryIO:
        """Return the open file, rotated if ``more`` bytes do not fit."""
        if self._file is not None and self._vanished(self._file):
            self.close()  # the lock file may have been moved too
        file = self._file or self._open()
        if file.tell() and file.tell() + more > self._limit:
            self._rotate()
            file = self._open()
        return file

    def _vanished(self, file: BinaryIO) -> bool:
        """Return whether the file was removed or renamed: its path names another or none."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return True
        ours = os.fstat(file.fileno())
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def _open(self) -> BinaryIO:
        self._claim()
        self._file = _append(self._path)
        self._torn = _torn(self._path)
        return self._file

    def _claim(self) -> None:
        """Lock the first name that no other process writes to; devices and pipes are shared."""
        self._wanted.parent.mkdir(parents=True, exist_ok=True)
        if self._lock or (self._wanted.exists() and not self._wanted.is_file()):
            return
        for number in range(1, WRITERS + 1):
            stem = f"{self._wanted.stem}-{number}" if number > 1 else self._wanted.stem
            self._path = self._wanted.with_stem(stem)
            lock = _append(self._path.with_name(f"{self._path.name}.lock"))
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


def _append(path: Path) -> BinaryIO:
    """Open a file to append to; OSError at once for a FIFO that nobody reads."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    number = os.open(path, flags, 0o666)
    os.set_blocking(number, True)
    return os.fdopen(number, "ab", buffering=0)


def _torn(path: Path) -> bool:
    """Return whether a file ends in an incomplete line."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
