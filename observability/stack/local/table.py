"""Tables on the terminal: aligned columns, coloured only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

GREEN, YELLOW, RED = "32", "33", "31"


def paint(text: str, colour: str, out: TextIO = sys.stdout) -> str:
    """Return the text in colour, if ``out`` is a terminal that supports it."""
    if not out.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{colour}m{text}\033[0m"


def show(head: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Print rows, each a colour and its cells."""
    cells = [head, *(row for _, row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    print(_line(head, widths))
    for colour, row in rows:
        print(paint(_line(row, widths), colour))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
