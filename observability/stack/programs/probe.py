"""Asks a program for its version."""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from pathlib import Path

SECONDS = 10.0  # a program that has not answered by then counts as absent


def version(program: Path) -> tuple[int, ...]:
    """(3, 7, 6) for Loki 3.7.6; () if the program does not run or does not say."""
    try:
        state = program.stat()
    except OSError:
        return ()
    return _ask(program, state.st_mtime_ns, state.st_size)


def parse(text: str) -> tuple[int, ...]:
    """The first number with a dot in the first line; further ones are of its compiler."""
    found = re.search(r"\d+(\.\d+)+", text.partition("\n")[0])
    return tuple(int(part) for part in found[0].split(".")) if found else ()


@lru_cache(maxsize=64)
def _ask(program: Path, *_state: int) -> tuple[int, ...]:
    """Ask once, and again when the file is another."""
    try:
        done = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return parse(done.stdout + done.stderr) if done.returncode == 0 else ()
