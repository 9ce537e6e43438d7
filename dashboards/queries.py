"""Queries of panels: Prometheus, Loki and Tempo targets, and dashboard variables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from observability.catalog import (
    API,
    BUILD_INFO,
    HTTP_REQUESTS,
    INSTANCE,
    ROUTE,
    SERVICE,
    Label,
    Metric,
)
from observability.conventions import LOKI_UID, PROMETHEUS_UID, TEMPO_UID
from observability.promql.builders import (
    LE,
    RANGE,
    Matcher,
    increase,
    matches,
    quantile,
    rate,
    select,
    total,
)
from observability.promql.expr import Expr

Json = dict[str, Any]
PROMETHEUS: Json = {"type": "prometheus", "uid": "${datasource}"}
LOKI: Json = {"type": "loki", "uid": LOKI_UID}
TEMPO: Json = {"type": "tempo", "uid": TEMPO_UID}


CHOSEN: dict[str, str | Matcher] = {
    "service": matches("$service"),
    "instance": matches("$instance"),
}


def scope(metric: Metric) -> dict[str, str | Matcher]:
    """Return matchers for the chosen services and replicas.

    A metric of one service only is not filtered: its panel would be empty whenever another service
    is chosen.
    """
    if len(metric.services) == 1:
        return {}
    return CHOSEN


def scoped_rate(metric: Metric, *by: Label) -> Expr:
    """Return the per-second rate of a counter, summed within ``scope``."""
    return total(rate(metric, **scope(metric)), *by)


def scoped_gauge(metric: Metric, *by: Label) -> Expr:
    """Return the value of a gauge, summed within ``scope``."""
    return total(select(metric, **scope(metric)), *by)


def share(part: Expr, whole: Expr) -> Expr:
    """Return ``part`` / ``whole``; no line where ``whole`` is 0."""
    return (part | Expr(f"0 * {whole}", whole.labels, "*")) / (whole > 0)


def quantile_or_gap(q: float, metric: Metric, *by: Label, **wanted: str | Matcher) -> Expr:
    """Return the ``q`` quantile of a histogram; no line, rather than NaN, without requests."""
    return quantile(q, metric, *by, **wanted) > 0


def quantile_over_range(q: float, metric: Metric, *by: Label, **wanted: str | Matcher) -> Expr:
    """Return the ``q`` quantile of a histogram over the time shown; without traffic no series."""
    buckets = total(increase(metric, RANGE, "bucket", **wanted), LE, *by)
    return Expr(f"histogram_quantile({q}, {buckets})", buckets.labels - {LE.name}) > 0


@dataclass(frozen=True, slots=True)
class Prom:
    """A Prometheus query over the shown range, or only at its end (``instant``)."""

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
        """Return the target's JSON."""
        return {
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "expr": self.expr.text,
            # On a heatmap they would cover the cells.
            "exemplar": self.expr.exemplars and not (self.instant or self.heatmap),
            "format": "table" if self.table else "heatmap" if self.heatmap else "time_series",
            "instant": self.instant,
            "legendFormat": self.legend,
            "range": not self.instant,
            "refId": ref_id,
        }


@dataclass(frozen=True, slots=True)
class Loki:
    """A LogQL query for log lines, or for numbers derived from them."""

    expr: str
    legend: str = ""
    kind: Literal["range", "instant"] = "range"

    @property
    def datasource(self) -> Json:
        """Type and uid."""
        return LOKI

    def to_json(self, ref_id: str) -> Json:
        """Return the target's JSON."""
        return {
            "datasource": LOKI,
            "editorMode": "code",
            "expr": self.expr,
            "legendFormat": self.legend,
            "queryType": self.kind,
            "refId": ref_id,
        }


@dataclass(frozen=True, slots=True)
class Tempo:
    """A trace by its id, or a TraceQL query for the ``limit`` latest that match."""

    query: str
    limit: int = 20
    legend: str = ""

    @property
    def datasource(self) -> Json:
        """Type and uid."""
        return TEMPO

    def to_json(self, ref_id: str) -> Json:
        """Return the target's JSON."""
        return {
            "datasource": TEMPO,
            "limit": self.limit,
            "query": self.query,
            "queryType": "traceql",
            "refId": ref_id,
            "tableType": "traces",
        }


def choose(name: str, text: str, metric: Metric, label: Label, **wanted: str | Matcher) -> Json:
    """Return a variable with the values of ``label``: several at once or All."""
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
SERVICE_VARIABLE = choose("service", "Service", BUILD_INFO, SERVICE)
# One service at a time.
ONE_SERVICE_VARIABLE: Json = {
    **{key: value for key, value in SERVICE_VARIABLE.items() if key != "allValue"},
    "current": {"selected": True, "text": API, "value": API},
    "includeAll": False,
    "multi": False,
}


def typed(name: str, text: str, value: str = "") -> Json:
    """Return a text-box variable."""
    return {
        "current": {"selected": False, "text": value, "value": value},
        "hide": 0,
        "label": text,
        "name": name,
        "options": [],
        "query": value,
        "type": "textbox",
    }


FIND_VARIABLE = typed("find", "Find")
# TraceQL that finds nothing: to ask for a trace without an id is an error.
NO_TRACE = "{ false }"
TRACE_VARIABLE = typed("trace", "Trace id", NO_TRACE)
REPLICA_VARIABLE = choose("instance", "Replica", BUILD_INFO, INSTANCE, service=matches("$service"))
# Of a log line that is about no request, the route is empty: All has to fit that too.
LINES_ROUTE_VARIABLE: Json = {**ROUTE_VARIABLE, "allValue": ".*"}
VARIABLES = [DATASOURCE_VARIABLE, SERVICE_VARIABLE, REPLICA_VARIABLE]
