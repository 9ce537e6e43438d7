"""Asks a program for its version."""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from pathlib import Path

SECONDS = 10.0  # a program that has not answered by then counts as absent


def version(program: Path) -> tuple[int, ...]:
    """(3, 7, 6) for Loki 3.7.6; () if the program does not run or does not say."""
    ran, text = said(program)
    return parse(text) if ran else ()


def said(program: Path) -> tuple[bool, str]:
    """Whether the program runs, and the first line of what it says, or why it does not."""
    try:
        state = program.stat()
    except OSError as error:
        return False, error.strerror or ""
    return _ask(program, state.st_mtime_ns, state.st_size)


def parse(text: str) -> tuple[int, ...]:
    """The first number with a dot in it."""
    found = re.search(r"\d+(\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


@lru_cache(maxsize=64)
def _ask(program: Path, *_state: int) -> tuple[bool, str]:
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
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, getattr(error, "strerror", None) or str(error)
    # Further lines are of its compiler and platform.
    return done.returncode == 0, (done.stdout + done.stderr).strip().partition("\n")[0]
