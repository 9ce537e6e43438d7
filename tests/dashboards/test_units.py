"""A panel's unit is that of what its query measures."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import promql_parser as p
import pytest

from dashboards.registry import render
from tests.dashboards.expressions import nodes, parse

Json = dict[str, Any]
SINCE = "prometheus_tsdb_lowest_timestamp_seconds"  # a date, by an override of its own
SECOND, BYTE = Counter(s=1), Counter(B=1)
TIMES = {"time", "probe_ssl_earliest_cert_expiry", "ALERTS_FOR_STATE"}
COUNTS, RATES = {"none", "short", "locale"}, {"reqps", "ops", "cps"}
UNITS = {"": COUNTS | {"percentunit"}, "s1": {"s"}, "B1": {"bytes"}, "s-1": RATES,
         "B1 s-1": {"binBps"}}  # fmt: skip


def dimension(node: Any) -> Counter[str]:
    """Return the powers of second and byte in what an expression measures."""
    if isinstance(node, p.VectorSelector):
        return _metric(str(node.name))
    if isinstance(node, p.MatrixSelector):
        return dimension(node.vector_selector)
    if isinstance(node, p.AggregateExpr):
        return Counter() if str(node.op) == "count" else dimension(node.expr)
    if isinstance(node, p.BinaryExpr):
        left, right = dimension(node.lhs), dimension(node.rhs)
        sign = {"*": 1, "/": -1}.get(str(node.op), 0)
        return _plus(left, right, sign)
    if isinstance(node, p.Call):
        return _call(node)
    return dimension(node.expr) if hasattr(node, "expr") else Counter()


def _call(node: Any) -> Counter[str]:
    name = node.func.name
    if name == "time":
        return SECOND
    if name == "histogram_quantile":
        read = {str(n.name) for n in nodes(node.args[1]) if isinstance(n, p.VectorSelector)}
        [bucket] = [one for one in read if one.endswith("_bucket")]
        return _metric(bucket.removesuffix("_bucket"))
    inner = dimension(node.args[0])
    return _plus(inner, SECOND, -1) if name == "rate" else inner


def _metric(name: str) -> Counter[str]:
    if name.endswith(("_bucket", "_count")):
        return Counter()
    unit = re.sub("_(total|sum)$", "", name)
    if unit in TIMES or unit.endswith("_seconds"):
        return SECOND
    return BYTE if unit.endswith("bytes") else Counter()


def _plus(left: Counter[str], right: Counter[str], sign: int) -> Counter[str]:
    return Counter({key: n for key in "sB" if (n := left[key] + sign * right[key])})


def share(text: str) -> bool:
    """Whether it is a share: a quotient, or seconds a second."""
    return bool(re.search(r" / |ratio_|avg_over_time|^1 - |rate\(\w+_seconds_total", text))


def asked() -> Iterator[tuple[str, str, str, str]]:
    """Return board, title, unit and expression of each panel with one unit."""
    for name, text in render().items():
        panels = json.loads(text)["panels"]
        for panel in [*panels, *(inner for one in panels for inner in one.get("panels", ()))]:
            unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit")
            for target in panel.get("targets", ()):
                prometheus = target["datasource"]["type"] == "prometheus"
                if unit and prometheus and panel["type"] != "table" and SINCE not in target["expr"]:
                    yield name, panel["title"], unit, target["expr"]


@pytest.mark.parametrize(("board", "title", "unit", "expression"), [*asked()])
def test_the_unit_is_that_of_the_query(board: str, title: str, unit: str, expression: str) -> None:
    if title == "Durations":  # a heatmap's unit is that of its bounds
        assert unit == "s"
        assert "seconds_bucket" in expression
        return
    found = dimension(parse(expression))
    words = " ".join(f"{key}{power}" for key, power in sorted(found.items()))
    assert unit in UNITS[words], f"{title}: {words or 'a plain number'}"
    if unit == "percentunit":
        assert share(expression), f"{title}: no share"
    assert (unit == "reqps") is (unit in RATES and "_http_requests_total" in expression)


def rates_of_lines() -> Iterator[tuple[str, str, str]]:
    """Return title, unit and expression of each panel that asks Loki for a rate."""
    for text in render().values():
        panels = json.loads(text)["panels"]
        for panel in [*panels, *(inner for one in panels for inner in one.get("panels", ()))]:
            for target in panel.get("targets", ()):
                if target["datasource"]["type"] == "loki" and "rate(" in target["expr"]:
                    unit = panel["fieldConfig"]["defaults"]["unit"]
                    yield panel["title"], unit, target["expr"]


@pytest.mark.parametrize(("title", "unit", "expression"), [*rates_of_lines()])
def test_lines_a_second_are_a_rate(title: str, unit: str, expression: str) -> None:
    assert unit == "ops", f"{title}: {expression}"
