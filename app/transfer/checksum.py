"""Checksums of rows, equal in SQLite and in PostgreSQL."""

from __future__ import annotations

import hashlib


def digest(line: bytes | str) -> str:
    """Return the MD5 of a row's line, as PostgreSQL computes it."""
    data = line if isinstance(line, bytes) else line.encode()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class Checksum:
    """The sum of the hashes of all lines, in any order.

    As text, because it exceeds 64 bits.
    """

    def __init__(self) -> None:
        self.total = 0

    def step(self, line: bytes | str) -> None:
        """Add one row."""
        self.total += int(digest(line)[:15], 16)

    def finalize(self) -> str:
        """Return the sum."""
        return str(self.total)
