"""Runs the first look of a runbook during its fault: the queries must find it.

``findings.py`` says what must be found. The query under "Verify that it is over" finds nothing
before, and something after (``VERIFIED``).
"""

from __future__ import annotations

import re
import time
import urllib.parse
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg

from tests.alerts.runbook_pages import LOOK, OVER, Block, read
from tests.drills.findings import FINDINGS, SMALL, VERIFIED, Expected
from tests.drills.site import Site
from tests.drills.table import Drill
from tests.parts import request, wait_for

Found = list[dict[str, str]]
PATIENCE = 60.0  # seconds: a range of a minute, at whatever pace
BACK = 900  # seconds that are looked for lines


def look(drill: Drill, site: Site) -> None:
    """Run the first look of every page of the drill; AssertionError without findings."""
    wanted = FINDINGS.get(drill.name, {})
    for name in dict.fromkeys([*wanted, *(page_of(alert) for alert in drill.fires)]):
        expected = dict(wanted.get(name, {}))
        for block in read(name).blocks("promql", "logql", "sql", part=LOOK):
            [question] = [q for q in expected if block.question.startswith(q)] or [""]
            labels = expected.pop(question, None)
            if block.language != "logql" or site.logs_are_kept:
                what = f"{drill.name}, {name}: {block.question} {labels}"
                wait_for(what, partial(_finds, site, block, labels), PATIENCE)
        assert not expected, f"{name} asks no such thing: {', '.join(expected)}"
        if name in wanted and drill.name in VERIFIED:
            wait_for(f"{name}: not over yet", partial(verified, site, name, False), PATIENCE)


def over(drill: Drill, site: Site) -> None:
    """Check by the pages' findings that the fault is over; else AssertionError."""
    for name in FINDINGS[drill.name] if drill.name in VERIFIED else ():
        wait_for(f"{name}: over", partial(verified, site, name), PATIENCE + 30)


def page_of(alert: str) -> str:
    """The runbook of an alert."""
    return "MiniTwitBurnRate" if alert.startswith("MiniTwitBurnRate") else alert


def verified(site: Site, name: str, over: bool = True) -> bool:
    """Whether the page's own query says that it is ``over``, or that it is not."""
    [block] = read(name).blocks("promql", part=OVER)
    return bool(site.prometheus(block.text)) == over


def _finds(site: Site, block: Block, labels: Expected | None) -> bool:
    return met(ASK[block.language](site, block), labels, site)


def met(found: Found, labels: Expected | None, site: Site) -> bool:
    """Whether something has these labels; None asks for an answer, whatever it is."""
    if labels is None:
        return True
    wanted = {
        key: re.compile(re.escape(str(site.small)) if value == SMALL else value)
        for key, value in labels.items()
    }
    return any(
        all(pattern.search(row.get(key, "")) for key, pattern in wanted.items()) for row in found
    )


def _promql(site: Site, block: Block) -> Found:
    return [labels for labels, _ in site.prometheus(block.text)]


def _logql(site: Site, block: Block) -> Found:
    start = time.time_ns() - BACK * 10**9
    query = urllib.parse.urlencode({"query": block.text, "start": start, "limit": 1000})
    answer = request("GET", f"{site.url('loki')}/loki/api/v1/query_range?{query}")
    assert answer.status == 200, f"{block.text}: {answer}"
    found: Found = []
    for row in answer.json()["data"]["result"]:
        labels: dict[str, str] = row.get("stream") or row.get("metric") or {}
        found += [labels | {"line": str(line)} for _, line, *_ in row["values"]]
    return found


def _sql(site: Site, block: Block) -> Found:
    url = (site.settings.secrets / f"{block.role}_url").read_text()
    with psycopg.connect(url, autocommit=True, application_name="looker") as session:
        cursor = session.execute(block.text.encode())
        names = [column.name for column in cursor.description or ()]
        rows: list[Any] = cursor.fetchall()
        return [dict(zip(names, map(str, row), strict=True)) for row in rows]


ASK: dict[str, Callable[[Site, Block], Found]] = {
    "promql": _promql,
    "logql": _logql,
    "sql": _sql,
}
