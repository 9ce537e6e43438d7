"""``make tables``: the README's tables of figures, written from the result files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests import results
from tests.bench.__main__ import table_of
from tests.drills.__main__ import markdown
from tests.parts import ROOT

README = ROOT / "README.md"


def drills(result: dict[str, Any]) -> str:
    """Each alert with the slowest of its runs."""
    return markdown(result["rows"])


def soak(result: dict[str, Any]) -> str:
    """What was done to the platform, what came of it."""
    faults = sum(result["faults"].values())
    within = sum(result["errors_within_faults"].values())
    outside = sum(result["errors_outside"].values())
    growing = ", ".join(result["growing"]) or "nothing"
    return (
        "| minutes | actions | faults | failed within a fault's window | failed outside "
        "| messages acknowledged and lost | growing |\n"
        + "| --- " * 7
        + "|\n"
        + f"| {result['minutes']:g} | {result['actions']:,} | {faults} | {within:,} | {outside} "
        f"| {result['messages_lost']} of {result['messages_acknowledged']:,} | {growing} |\n"
    )


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "drill": drills,
    "bench": table_of,
    "bench-full": table_of,
    "soak": soak,
}


def filled(text: str) -> str:
    """``text`` with what stands between ``<!-- NAME -->`` and ``<!-- end -->`` made anew."""
    for name, make in TABLES.items():
        mark = f"<!-- {name} -->\n"
        result = results.read(name)
        if result and mark in text:
            before, _, rest = text.partition(mark)
            _, end, after = rest.partition("<!-- end -->")
            text = before + mark + make(result) + end + after
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
