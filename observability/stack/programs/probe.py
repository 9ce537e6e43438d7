"""Queries programs for their version."""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from pathlib import Path

SECONDS = 10.0  # a program that has not responded by then counts as missing


def version(program: Path) -> tuple[int, ...]:
    """Return (3, 7, 6) for Loki 3.7.6; () if it is unknown."""
    ran, text = said(program)
    return parse(text) if ran else ()


def said(program: Path) -> tuple[bool, str]:
    """Return whether the program runs, and the first line of its output or the error."""
    try:
        state = program.stat()
    except OSError as error:
        return False, error.strerror or ""
    return _ask(program, state.st_mtime_ns, state.st_size)


def parse(text: str) -> tuple[int, ...]:
    """Return the first dotted number of a text."""
    found = re.search(r"\d+(\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


@lru_cache(maxsize=64)
def _ask(program: Path, *_state: int) -> tuple[bool, str]:
    """Run the program once, and again only when the file changes."""
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
    # Further lines describe its compiler and platform.
    return done.returncode == 0, (done.stdout + done.stderr).strip().partition("\n")[0]
