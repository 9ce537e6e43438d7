"""The JSON keeps clear of grafanalib's pitfalls and holds to the checklist for dashboards."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest

from alerts.objectives import ERROR_RATIO_LIMIT, LATENCY_OBJECTIVE
from dashboards.layout import COLUMNS
from dashboards.links import with_links
from dashboards.panels import UNITS, stat
from dashboards.queries import Prom
from dashboards.registry import DASHBOARDS, render
from observability import catalog
from observability.conventions import LOKI_UID, PROMETHEUS_UID, TEMPO_UID
from observability.dashboard_uids import Board
from observability.promql.builders import select

Json = dict[str, Any]
BOARDS = {name: json.loads(text) for name, text in render().items()}
TYPES = {
    *("timeseries", "stat", "table", "logs", "heatmap", "state-timeline", "bargauge", "text"),
    *("row", "alertlist", "piechart", "traces"),
}
SOURCES = [
    {"type": "prometheus", "uid": "${datasource}"},
    {"type": "loki", "uid": LOKI_UID},
    {"type": "tempo", "uid": TEMPO_UID},
]


def panels(board: Json) -> list[Json]:
    nested = [inner for panel in board["panels"] for inner in panel.get("panels", ())]
    return [*board["panels"], *nested]


ASKING = {
    f"{name}-{panel['id']}": panel
    for name, board in BOARDS.items()
    for panel in panels(board)
    if panel["type"] not in ("row", "text")
}
every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
every_asking_panel = pytest.mark.parametrize("panel", ASKING.values(), ids=ASKING)


@every_board
def test_the_board(board: Json) -> None:
    assert board["schemaVersion"] == 41
    assert re.fullmatch(r"minitwit-[a-z-]{2,30}", board["uid"])
    assert "minitwit" in board["tags"]
    assert board["editable"] is False
    assert board["graphTooltip"] == 1, "shared crosshair"
    assert (board["time"], board["timezone"]) == ({"from": "now-1h", "to": "now"}, "browser")
    assert board["refresh"] == "30s"
    assert "do not edit" in board["description"]
    assert board["title"]
    dead = {"__inputs", "rows", "style", "sharedCrosshair", "hideControls", "version", "id"}
    assert not dead & set(board)


@every_board
def test_one_question_is_stated(board: Json) -> None:
    assert board["description"].count("?") == 1
    texts = [p for p in board["panels"] if p["type"] == "text"]
    if board["uid"] == Board.OVERVIEW:
        assert not texts, "its screen is for what is wrong"
        return
    [text] = texts
    assert text == board["panels"][0]
    assert text["options"]["content"].count("?") == 1


@every_board
def test_links_lead_to_the_other_boards(board: Json) -> None:
    [link] = board["links"]
    assert link["type"] == "dashboards" and link["tags"] == ["minitwit"]
    assert link["asDropdown"] and link["includeVars"] and link["keepTime"]


def test_a_click_leads_to_the_logs_and_from_the_overview_to_details() -> None:
    boards = {f"/d/{board['uid']}" for board in BOARDS.values()}
    for name, panel in ASKING.items():
        links = [link["url"] for link in panel["fieldConfig"]["defaults"].get("links", [])]
        led = [link.partition("?")[0] for link in links]
        assert set(led) <= boards
        if panel["type"] in ("table", "traces"):
            assert not links, f"{name}: its columns lead on, not every cell"
            continue
        assert all("${__url_time_range}" in link for link in links), "the time is kept"
        assert all("var-service=" in link or "${__all_variables}" in link for link in links)
        if panel["datasource"]["type"] == "prometheus":
            assert "/d/minitwit-logs" in led, name
        if name.startswith("minitwit-overview"):
            assert len(led) == 2, name


def test_a_cell_that_leads_on_leads_to_a_board_a_trace_or_a_runbook() -> None:
    boards = {f"/d/{board['uid']}" for board in BOARDS.values()}
    led = set()
    for panel in ASKING.values():
        for override in panel["fieldConfig"].get("overrides", []):
            for one in override["properties"]:
                for link in one["value"] if one["id"] == "links" else ():
                    path = link["url"].partition("?")[0]
                    led.add(path)
                    assert path in boards or path == "${__value.raw}", path
                    assert "?" not in link["url"] or "${__url_time_range}" in link["url"]
    assert Board.TRACE.path in led and Board.LOGS.path in led and Board.SERVICE.path in led


def test_a_link_to_one_service_is_only_where_each_line_has_one() -> None:
    for panel in (with_links(panel, None) for board in DASHBOARDS for panel in board.panels()):
        asked = [query for query in panel.queries if isinstance(query, Prom)]
        config = (panel.core.extraJson or {}).get("fieldConfig", {})
        for link in config.get("defaults", {}).get("links", []):
            named = all("service" in query.expr.labels for query in asked)
            assert ("__field.labels.service" in link["url"]) == named


@every_board
def test_annotations_show_deploys_and_firing_alerts(board: Json) -> None:
    expressions = [a.get("expr", "") for a in board["annotations"]["list"]]
    firing = 'alertstate="firing",severity="critical"'
    assert any("ALERTS" in e and firing in e for e in expressions)
    assert all(f"offset {a['step']}" in a["expr"] for a in board["annotations"]["list"]), (
        "one point a series, so that it is a line and no area"
    )
    assert any(catalog.BUILD_INFO.name in e for e in expressions)
    assert all(a["datasource"] in SOURCES for a in board["annotations"]["list"])


@every_board
def test_variables(board: Json) -> None:
    variables = {v["name"]: v for v in board["templating"]["list"]}
    assert variables["datasource"]["current"]["value"] == PROMETHEUS_UID
    assert "service" in variables or board["uid"] == Board.TRACE
    for variable in variables.values():
        if variable["type"] == "query":
            assert variable["refresh"] == 2
            one = board["uid"] == Board.SERVICE and variable["name"] == "service"
            assert variable["multi"] is variable["includeAll"] is not one
            if not one:
                assert variable["allValue"] in (".+", ".*")
                assert variable["current"]["value"] == "$__all"
            assert variable["datasource"] in SOURCES
    text = json.dumps(board["panels"])
    used = set(re.findall(r"\$([a-z_]\w*)", text)) - {"__rate_interval", "__range", "__interval"}
    assert used <= set(variables)
    assert not re.search(r'=\\"\$', text), "a variable with several values needs =~"


@every_board
def test_ids_are_unique_and_no_panel_covers_another(board: Json) -> None:
    ids = [panel["id"] for panel in panels(board)]
    assert len(set(ids)) == len(ids)
    assert all(isinstance(i, int) and i > 0 for i in ids)
    for group in (board["panels"], *(p["panels"] for p in board["panels"] if p.get("panels"))):
        for a, b in combinations((panel["gridPos"] for panel in group), 2):
            apart_x = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
            apart_y = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
            assert apart_x or apart_y, (a, b)


@every_board
def test_every_panel(board: Json) -> None:
    dead = {"span", "editable", "error", "maxDataPoints", "thresholds", "height"}
    for panel in panels(board):
        assert panel["type"] in TYPES
        assert panel["title"] or panel["type"] == "text"
        assert set(panel["gridPos"]) == {"h", "w", "x", "y"}
        assert 0 <= panel["gridPos"]["x"] <= COLUMNS - panel["gridPos"]["w"]
        assert panel["type"] == "row" or panel["description"].endswith(".")
        assert not dead & set(panel)


@every_asking_panel
def test_every_panel_that_asks(panel: Json) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in UNITS
    assert defaults["noValue"]
    assert panel["datasource"] in SOURCES
    assert defaults["thresholds"]["steps"][0]["value"] is None
    assert all(isinstance(s["value"], int | float) for s in defaults["thresholds"]["steps"][1:])
    assert "displayMode" not in defaults.get("custom", {})
    if panel["type"] == "stat":
        assert panel["options"]["reduceOptions"]["calcs"] == ["lastNotNull"]


@every_asking_panel
def test_every_target(panel: Json) -> None:
    refs = [target["refId"] for target in panel["targets"]]
    assert refs == [chr(ord("A") + i) for i in range(len(refs))]
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]
        assert not {"step", "intervalFactor", "target", "metric"} & set(target)
        if target["datasource"]["type"] == "tempo":
            assert target["queryType"] == "traceql" and target["query"]
            continue
        if target["datasource"]["type"] == "loki":
            assert target["queryType"] == "range"
            assert target["legendFormat"] or panel["type"] == "logs"
            continue
        assert target["legendFormat"] or target["format"] == "table"
        assert target["range"] is not target["instant"]
        reads_buckets = "_bucket" in target["expr"]
        drawn = not target["instant"] and target["format"] != "heatmap"
        assert target["exemplar"] is (reads_buckets and drawn)


@pytest.mark.parametrize(("title", "limit"), [("Errors", ERROR_RATIO_LIMIT), ("Duration", 0.3)])
def test_thresholds_are_those_of_the_alerts(title: str, limit: float) -> None:
    [panel] = [p for p in panels(BOARDS["minitwit-overview.json"]) if p["title"] == title]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [s["value"] for s in steps] == [None, limit]
    assert LATENCY_OBJECTIVE == catalog.SIMULATOR_TIMEOUT


def test_what_is_empty_on_purpose_says_why() -> None:
    empty = [panel for board in DASHBOARDS for panel in board.panels() if panel.empty]
    assert {panel.core.title for panel in empty} == {
        "Firing alerts", "Errors", "Database errors", "Error lines",
        "Certificates", "Failed", "Slow", "Component restarts",
    }  # fmt: skip


def test_a_careless_panel_is_refused() -> None:
    query = Prom(select(catalog.READY), "{{service}}")
    for title, description, unit in (("", "Right.", "s"), ("T", "", "s"), ("T", "Right.", "sec")):
        with pytest.raises(ValueError, match="please"):
            stat(title, description, query, unit=unit)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="colour"):
        Prom(select(catalog.READY), "{{colour}}")
