"""What a LogQL query names that no line has: labels, events, metadata and fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from observability.catalog import EVENTS, LOG_FIELDS, LOG_LABELS, LOG_METADATA

SELECTOR = re.compile(r"\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
FILTER = re.compile(r"\|\s*(\w+)\s*(?:=~|!~|!=|>=|<=|=|>|<)")
GROUPED = re.compile(r"\bby \(([^)]*)\)")


def unknown(query: str) -> list[str]:
    """Return the names in ``query`` that no log line has; empty if it is right."""
    parsed = "| json" in query
    fields = {*LOG_METADATA, *(LOG_FIELDS if parsed else ())}
    return [
        *_of_streams(query),
        *(f"field {name}" for name in FILTER.findall(query) if name not in fields),
        *(
            f"label {name} in by()"
            for names in GROUPED.findall(query)
            for name in re.split(r",\s*", names)
            if name not in {*LOG_LABELS, *fields}
        ),
    ]


def _of_streams(query: str) -> Iterator[str]:
    selectors = SELECTOR.findall(query)
    if not selectors:
        yield "no stream is selected"
    for selector in selectors:
        pairs = MATCHER.findall(selector)
        if ",".join(re.split(r",\s*", selector)).count('="') > len(pairs) or not pairs:
            yield f"cannot read {{{selector}}}"
        for label, value in pairs:
            if label not in LOG_LABELS:
                yield f"label {label}"
            elif label == "event":
                yield from (f"event {one}" for one in value.split("|") if one not in EVENTS)
