"""What a panel asks: Prometheus and Loki targets, and the variables that narrow them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from observability.catalog import BUILD_INFO, HTTP_REQUESTS, INSTANCE, ROUTE, SERVICE, Label, Metric
from observability.conventions import LOKI_UID, PROMETHEUS_UID
from observability.promql.builders import Matcher, matches, rate, select, total
from observability.promql.expr import Expr

Json = dict[str, Any]
PROMETHEUS: Json = {"type": "prometheus", "uid": "${datasource}"}
LOKI: Json = {"type": "loki", "uid": LOKI_UID}


CHOSEN: dict[str, str | Matcher] = {
    "service": matches("$service"),
    "instance": matches("$instance"),
}


def scope(metric: Metric) -> dict[str, str | Matcher]:
    """Matchers for the chosen services and replicas.

    A metric of one service only is not narrowed: its panel would go blank whenever another
    service is chosen.
    """
    if len(metric.services) == 1:
        return {}
    return CHOSEN


def summed(metric: Metric, *by: Label) -> Expr:
    """Events a second of a counter, within ``scope``."""
    return total(rate(metric, **scope(metric)), *by)


def held(metric: Metric, *by: Label) -> Expr:
    """The value of a gauge, summed within ``scope``."""
    return total(select(metric, **scope(metric)), *by)


@dataclass(frozen=True, slots=True)
class Prom:
    """A Prometheus query over the shown range, or of this moment only (``instant``)."""

    expr: Expr
    legend: str
    instant: bool = False
    table: bool = False
    heatmap: bool = False

    def __post_init__(self) -> None:
        if unknown := set(re.findall(r"{{(\w+)}}", self.legend)) - self.expr.labels:
            raise ValueError(f"legend {self.legend!r}: no label {unknown} in {self.expr}")

    @property
    def datasource(self) -> Json:
        """Type and uid."""
        return PROMETHEUS

    def to_json(self, ref_id: str) -> Json:
        """As Grafana stores it."""
        return {
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "expr": self.expr.text,
            "exemplar": self.expr.exemplars and not self.instant,
            "format": "table" if self.table else "heatmap" if self.heatmap else "time_series",
            "instant": self.instant,
            "legendFormat": self.legend,
            "range": not self.instant,
            "refId": ref_id,
        }


@dataclass(frozen=True, slots=True)
class Loki:
    """A LogQL query: log lines, or numbers made from them."""

    expr: str
    legend: str = ""
    kind: Literal["range", "instant"] = "range"

    @property
    def datasource(self) -> Json:
        """Type and uid."""
        return LOKI

    def to_json(self, ref_id: str) -> Json:
        """As Grafana stores it."""
        return {
            "datasource": LOKI,
            "editorMode": "code",
            "expr": self.expr,
            "legendFormat": self.legend,
            "queryType": self.kind,
            "refId": ref_id,
        }


def choose(name: str, text: str, metric: Metric, label: Label, **wanted: str | Matcher) -> Json:
    """A variable with the values of ``label``: several at once or All."""
    series = select(metric, **wanted)
    if label.name not in series.labels:
        raise ValueError(f"variable {name}: no label {label.name} in {series}")
    return {
        "allValue": ".+",
        "current": {"selected": True, "text": "All", "value": "$__all"},
        "datasource": PROMETHEUS,
        "hide": 0,
        "includeAll": True,
        "label": text,
        "multi": True,
        "name": name,
        "options": [],
        "query": {"query": f"label_values({series}, {label.name})", "refId": name},
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "type": "query",
    }


DATASOURCE_VARIABLE: Json = {
    "current": {"selected": True, "text": "Prometheus", "value": PROMETHEUS_UID},
    "hide": 0,
    "includeAll": False,
    "label": "Metrics",
    "multi": False,
    "name": "datasource",
    "options": [],
    "query": "prometheus",
    "refresh": 1,
    "regex": "",
    "type": "datasource",
}
ROUTE_VARIABLE = choose("route", "Route", HTTP_REQUESTS, ROUTE, service=matches("$service"))
FIND_VARIABLE: Json = {
    "current": {"selected": False, "text": "", "value": ""},
    "hide": 0,
    "label": "Find",
    "name": "find",
    "options": [],
    "query": "",
    "type": "textbox",
}
VARIABLES = [
    DATASOURCE_VARIABLE,
    choose("service", "Service", BUILD_INFO, SERVICE),
    choose("instance", "Replica", BUILD_INFO, INSTANCE, service=matches("$service")),
]
