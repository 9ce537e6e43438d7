"""What the generated dashboards ask, asked of a platform that runs."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from dashboards.registry import DASHBOARDS
from observability.time_scale import SCRAPE_SECONDS
from tests import parts
from tests.dashboards.interpolation import Window, interpolate
from tests.parts import ROOT, request
from tests.stack.platform import Platform

WINDOW = Window(3600, SCRAPE_SECONDS)
Json = dict[str, Any]
CHOSEN = {"datasource": ["prometheus"], "textbox": [""]}
EMPTY = {
    (dashboard.board.value, panel.core.title): panel.empty
    for dashboard in DASHBOARDS
    for panel in dashboard.panels()
    if panel.empty
}


@dataclass(frozen=True)
class Question:
    """An expression and where it stands."""

    board: str
    panel: str
    kind: str
    uid: str
    expression: str
    instant: bool

    @property
    def empty(self) -> str:
        """Why nothing is expected when all is well."""
        return EMPTY.get((self.board, self.panel), "")


def boards() -> Iterator[Json]:
    for path in sorted((ROOT / "dashboards/generated").glob("*.json")):
        yield json.loads(path.read_text())


def questions(board: Json) -> Iterator[Question]:
    """All that the panels ask, those in collapsed rows too."""
    variables = {v["name"]: v.get("current", {}).get("value") for v in board["templating"]["list"]}
    nested = [inner for panel in board["panels"] for inner in panel.get("panels", ())]
    for panel in [*board["panels"], *nested]:
        for target in panel.get("targets", ()):
            kind, instant = target["datasource"]["type"], target.get("instant", False)
            uid = interpolate(target["datasource"]["uid"], WINDOW, variables, "")
            asked = target["query"] if kind == "tempo" else target["expr"]
            yield Question(board["uid"], panel["title"], kind, uid, asked, instant)


def provisioned(stack: Platform) -> dict[str, Json]:
    """The datasources that Grafana is given, by uid."""
    path = stack.settings.config / "grafana/datasources/minitwit.yml"
    return {source["uid"]: source for source in yaml.safe_load(path.read_text())["datasources"]}


def get(stack: Platform, uid: str, path: str, /, **query: str | float) -> Any:
    """Return a datasource's response; any error, also a wrong uid, fails the test."""
    address = provisioned(stack)[uid]["url"]
    answer = parts.get(f"{address}{path}?{urllib.parse.urlencode(query)}")
    assert answer.status == 200, (query, answer)
    return answer.json()["data"]


def has_lines(stack: Platform, expression: str) -> bool:
    now = time.time()
    # While the parts start, some have to answer that others are not there yet.
    start = max(now - WINDOW.range, stack.healthy_since + 2 * WINDOW.step)
    span = {"start": int(start * 1e9), "end": int(now * 1e9), "step": WINDOW.step}
    path = "/loki/api/v1/query_range"
    return bool(get(stack, "loki", path, query=expression, limit=10, **span)["result"])


def has_data(stack: Platform, expression: str, instant: bool) -> bool:
    now = time.time()
    if instant:
        result = get(stack, "prometheus", "/api/v1/query", query=expression, time=now)["result"]
        return any(row["value"][1] != "NaN" for row in result)
    span = {"start": now - WINDOW.range, "end": now, "step": WINDOW.step}
    result = get(stack, "prometheus", "/api/v1/query_range", query=expression, **span)["result"]
    return any(value != "NaN" for row in result for _, value in row["values"])


def unanswered(stack: Platform, asked: list[Question], choice: dict[str, Any]) -> list[Question]:
    return [question for question in asked if not answered(stack, question, choice)]


def finds_traces(stack: Platform, query: str) -> bool:
    """A search, or a trace by its id: without one, that of the latest trace."""
    if not query:
        query = next(iter(traces(stack, "{ }")), "")
    if re.fullmatch("[0-9a-f]{32}", query):
        address = provisioned(stack)["tempo"]["url"]
        return request("GET", f"{address}/api/traces/{query}").status == 200
    return bool(traces(stack, query))


def traces(stack: Platform, query: str) -> list[str]:
    """Return the ids of the latest traces of a TraceQL query.

    None if the query is wrong.
    """
    address = provisioned(stack)["tempo"]["url"]
    answer = request("GET", f"{address}/api/search?{urllib.parse.urlencode({'q': query})}")
    found = answer.json()["traces"] if answer.status == 200 else None
    return [trace["traceID"].rjust(32, "0") for trace in found or ()]


def answered(stack: Platform, question: Question, choice: dict[str, Any]) -> bool:
    expression = interpolate(question.expression, WINDOW, choice, ".+")
    assert provisioned(stack)[question.uid]["type"] == question.kind, question
    if question.kind == "loki":
        return has_lines(stack, expression)
    if question.kind == "tempo":
        return finds_traces(stack, expression)
    assert question.kind == "prometheus", "nobody proves this kind"
    return has_data(stack, expression, question.instant)


def everything(board: Json) -> dict[str, Any]:
    """All of each variable; of one that has no All, whatever it may be."""
    return {
        v["name"]: CHOSEN.get(v["type"], v.get("allValue", ".+"))
        for v in board["templating"]["list"]
    }
