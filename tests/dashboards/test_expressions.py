"""Every metric and label that a panel, variable, annotation or rule names is declared."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from alerts.deploy_queries import queries
from alerts.incident import breakdowns, budget, changes, fired_alerts, graphs
from alerts.incident.collect_signals import first_mover
from alerts.incident.prometheus_api import Prometheus
from alerts.incident.time_window import Window
from alerts.rule_files import all_alerts, files
from dashboards.queries import Prom
from dashboards.registry import DASHBOARDS, INTERNAL, render
from observability import catalog, exporters
from tests.dashboards.expressions import metrics, unknown


def panel_expressions() -> list[tuple[str, str]]:
    return [
        (f"{d.board}: {panel.core.title}", query.expr.text)
        for d in DASHBOARDS
        for panel in d.panels()
        for query in panel.queries
        if isinstance(query, Prom)
    ]


def other_expressions() -> list[tuple[str, str]]:
    """Of annotations and variables: read from the JSON, where they end up."""
    found = []
    for name, text in render().items():
        board = json.loads(text)
        found += [(f"{name}: {a['name']}", a["expr"]) for a in board["annotations"]["list"]]
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                series = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"]["query"])
                assert series, variable
                found.append((f"{name}: ${variable['name']}", series[1]))
    return found


def rule_expressions() -> list[tuple[str, str]]:
    groups = [group for of_file in files().values() for group in of_file]
    return [(group.name, rule.expr.text) for group in groups for rule in group.rules]


def incident_expressions() -> list[tuple[str, str]]:
    """What a report of an incident asks, of a Prometheus that knows nothing."""
    asked: list[str] = []

    def get(address: str) -> object:
        asked.extend(parse_qs(urlsplit(address).query)["query"])
        return {"data": {"result": []}}

    prometheus, window = Prometheus("", get), Window(1000, 2000)
    fired_alerts.gather(prometheus, window, None)
    first_mover(prometheus, window, 0)
    changes.gather(prometheus, window, "", get)
    changes.running(prometheus, window)
    budget.gather(prometheus, window)
    breakdowns.gather(prometheus, window)
    asked += [expr.text for _, expr, _ in graphs.panels("20s")]
    return [("alerts/incident", text) for text in dict.fromkeys(asked)]


ALL = [
    *panel_expressions(), *other_expressions(), *rule_expressions(), *incident_expressions(),
    *((f"alerts/deploy_queries: {name}", expr.text) for name, expr in queries().items()),
]  # fmt: skip


@pytest.mark.parametrize(("where", "expression"), ALL)
def test_names_only_what_the_catalogue_has(where: str, expression: str) -> None:
    assert unknown(expression) == [], where


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("rate(minitwit_http_request_total[1m])", ["metric minitwit_http_request_total"]),
        (
            "minitwit_http_request_duration_seconds",
            ["metric minitwit_http_request_duration_seconds"],
        ),
        ('up{user="x"}', ["label user of up"]),
        ("sum by (user) (up)", ["label user in by()"]),
        ("minitwit_http_request_duration_seconds_bucket", []),
    ],
)
def test_the_check_can_fail(expression: str, complaint: list[str]) -> None:
    assert unknown(expression) == complaint


def test_every_metric_is_shown_or_alerted_on_or_declared_internal() -> None:
    used = set().union(*(metrics(expression) for _, expression in ALL))
    declared = {m.name for m in (*catalog.METRICS, *exporters.METRICS)}
    internal = {metric.name for metric in INTERNAL}
    assert declared - used - internal == set(), "neither on a dashboard nor in a rule nor INTERNAL"
    assert internal & used == set(), "declared internal, yet used"
    assert all(len(reason) > 20 for reason in INTERNAL.values())


def test_every_exporter_metric_is_used() -> None:
    used = set().union(*(metrics(expression) for _, expression in ALL))
    assert {m.name for m in exporters.METRICS} <= used


def test_no_expression_fills_a_gap_with_zero() -> None:
    for where, expression in ALL:
        assert "vector(0)" not in expression, where


def test_rates_on_dashboards_follow_the_scrape_interval() -> None:
    for where, expression in panel_expressions():
        for function, window in re.findall(r"(\w+)\([^()]*\[([^]]+)\]", expression):
            allowed = {
                "rate": "$__rate_interval",
                "increase": "$__range",
                "avg_over_time": "$__range",
            }
            assert window == allowed[function], where


def test_alerts_name_dashboards_that_exist() -> None:
    uids = {json.loads(text)["uid"] for text in render().values()}
    assert {alert.board.value for alert in all_alerts()} <= uids
    assert {f"{uid}.json" for uid in uids} == set(render())
