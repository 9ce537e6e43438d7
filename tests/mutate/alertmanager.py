"""Operators on Alertmanager's template: receivers, routes, inhibitions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.mutate.mutant import Change

NAMED = re.compile(r"receiver: (?!nobody)([a-z]\w*)")
PATTERNS = {
    "severity": (re.compile(r'severity="(critical|none)"'), "warning"),
    "alertname": (re.compile(r'alertname="(Watchdog)"'), "MiniTwitTargetDown"),
    "continue": (re.compile(r"continue: (true)"), "false"),
    "service": (re.compile(r'service="(web)"'), "api"),
}


def receiver(text: str) -> Iterator[Change]:
    """Send what a route matches to nobody; do not tell that an alert has ended."""
    for found in NAMED.finditer(text, *_section(text, "route")):
        yield (*found.span(1), "nobody")
    for found in re.compile("send_resolved: (true)").finditer(text):
        yield (*found.span(1), "false")


def route(text: str) -> Iterator[Change]:
    """Change what a route matches, whether the next is asked, and how long it waits."""
    start, end = _section(text, "route")
    for pattern, new in PATTERNS.values():
        for found in pattern.finditer(text, 0, end):
            if found.start() >= start or "macro waits" in text[: found.start()]:
                yield (*found.span(1), new)
    for found in re.compile(r"group_by: \[(.*)\]").finditer(text, start, end):
        yield (*found.span(1), "alertname")
    for found in re.compile(r"time_scale\.(?:interval|for_duration)\((\d+)\)").finditer(
        text, 0, end
    ):
        yield (*found.span(1), str(10 * int(found[1])))


def inhibition(text: str) -> Iterator[Change]:
    """Leave out a pair of cause and consequences, a consequence, or a matcher."""
    start, end = _section(text, "inhibit_rules")
    for found in re.compile(r"^    \('.*\),\n", re.MULTILINE).finditer(text, start, end):
        yield (*found.span(), "")
    rule = re.compile(r"^  - source_matchers.*\n(    .*\n)+", re.MULTILINE)
    for found in rule.finditer(text, start, end):
        yield (*found.span(), "")
    for found in re.compile(r"equal: \[(.*)\]").finditer(text, start, end):
        yield (*found.span(1), "service")
    for found in re.compile(r"""' ~ "\|" ~ (?:FELT|DATABASE)""").finditer(text, start, end):
        yield (*found.span(), "'")
    for found in re.compile(r""",service="\w+"'""").finditer(text, start, end):
        yield (*found.span(), "'")
    for found in re.compile(r"^{% set (?:BURN|WINDOWED|DATABASE) = (.*) %}$", re.M).finditer(text):
        for name in re.compile(r'MiniTwit\w+\||\|MiniTwit\w+(?=")').finditer(
            text, found.start(1), found.end(1)
        ):
            yield (*name.span(), "")


def _section(text: str, name: str) -> tuple[int, int]:
    """Return start and end of a top-level key of the document."""
    begun = re.search(rf"^{name}:\n", text, re.MULTILINE)
    if not begun:
        return (0, 0)
    after = re.compile(r"^\w+:", re.MULTILINE).search(text, begun.end())
    return begun.start(), after.start() if after else len(text)
