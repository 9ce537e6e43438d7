"""The same colour for the same meaning on every board.

The meaning of the catalogue's values is declared here once; a panel whose legend shows such a
value, or a service, gets its colours from it. A text always accompanies a colour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from dashboards.palette import label_overrides
from dashboards.queries import Json
from observability.catalog import API, SIMULATOR, WEB


class Meaning(StrEnum):
    """The colour of a meaning."""

    GOOD = "green"
    CLIENT = "orange"  # the client's fault
    SERVER = "red"  # our fault
    UNKNOWN = "#8e8e8e"


GREEN, YELLOW, ORANGE, RED, GREY = "green", "yellow", "orange", "red", "#8e8e8e"
BLUE, PURPLE, LIGHT = "blue", "purple", "super-light-blue"

# Regular expressions of whole words at the end of a legend.
MEANINGS: dict[Meaning, tuple[str, ...]] = {
    Meaning.GOOD: (
        "2..", "3..", "ok", "changed", "unchanged", "exported", "info", "idle",
        "delivered", "handed over",
    ),
    Meaning.CLIENT: (
        "4..", "invalid", "username_taken", "unknown_user", "wrong_password", "throttled",
        "unknown_author", "invalid_request", "warning",
    ),
    Meaning.SERVER: (
        "5..", "status_5xx", "timeout", "refused", "reset", "unavailable", "pool_exhausted",
        "statement", "error", "critical", "failed", "dropped", "queue", "file", "stdout", "loki",
        "db_error", "unhandled", "upstream_error",
    ),
    Meaning.UNKNOWN: ("status_other", "other", "unmatched", "debug", "limited"),
}  # fmt: skip
SERVICES = {API: BLUE, WEB: PURPLE, SIMULATOR: LIGHT}
# Labels whose values are words of MEANINGS.
JUDGED = frozenset(("outcome", "reason", "kind", "status", "level", "sink", "event"))
LIMIT = "limit"  # what a line is called that is no measurement but a bound


def colours(legends: Iterable[str]) -> list[Json]:
    """Return the overrides for a panel with these legends; the last match wins."""
    legends = list(legends)
    shown = {label for legend in legends for label in re.findall(r"{{(\w+)}}", legend)}
    words = " ".join(legends)
    found = label_overrides(shown)
    if "service" in shown or "job" in shown or re.search(r"\b(api|web)\b", words):
        found += [_colour(rf"/^{name}\b/", color) for name, color in SERVICES.items()]
    if shown & JUDGED or meaning_of(legends[-1]):
        found += [
            _colour(rf"/(^| )({'|'.join(values)})$/", meaning.value)
            for meaning, values in MEANINGS.items()
        ]
    if any(legend.endswith(LIMIT) for legend in legends):
        found.append(_bound())
    return found


def meaning_of(word: str) -> Meaning | None:
    """Return the meaning of a legend's last word; None if it has none."""
    for meaning, values in MEANINGS.items():
        if re.search(rf"(^| )({'|'.join(values)})$", word):
            return meaning
    return None


def _colour(regex: str, color: str) -> Json:
    return {
        "matcher": {"id": "byRegexp", "options": regex},
        "properties": [{"id": "color", "value": {"mode": "shades", "fixedColor": color}}],
    }


def _bound() -> Json:
    """Return a grey dashed line without an area, never stacked, for a bound."""
    return {
        "matcher": {"id": "byRegexp", "options": f"/{LIMIT}$/"},
        "properties": [
            {"id": "color", "value": {"mode": "fixed", "fixedColor": GREY}},
            {"id": "custom.fillOpacity", "value": 0},
            {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}},
            {"id": "custom.stacking", "value": {"group": "A", "mode": "none"}},
        ],
    }
