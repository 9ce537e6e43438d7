"""Checksums of rows, equal in SQLite and in PostgreSQL."""

from __future__ import annotations

import hashlib


def digest(line: bytes | str) -> str:
    """MD5 of a row's line, as PostgreSQL has it too."""
    data = line if isinstance(line, bytes) else line.encode()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class Checksum:
    """The sum of a hash of each line, whatever their order; as text, for it outgrows 64 bits."""

    def __init__(self) -> None:
        self.total = 0

    def step(self, line: bytes | str) -> None:
        """One more row; nobody attacks a checksum of one's own."""
        self.total += int(digest(line)[:15], 16)

    def finalize(self) -> str:
        """The sum."""
        return str(self.total)
