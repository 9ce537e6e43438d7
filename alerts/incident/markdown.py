"""Tables and numbers in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would end a cell is escaped."""
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Text as it stands, whatever it holds: it may come from outside."""
    return f"`{' '.join(text.split()).replace('`', chr(39))}`"


def number(value: float) -> str:
    """A count, with commas."""
    return f"{value:,.0f}"


def share(value: float | None) -> str:
    """A share as a percentage; a dash where it is not known."""
    return "-" if value is None else f"{value:.2%}"


def ms(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{seconds * 1000:,.1f} ms"
