"""PromQL built from catalogue objects: unknown metrics and labels fail at generation.

``total(rate(HTTP_REQUESTS, "1m", status=matches("5..")), SERVICE)`` knows its metric, its labels
and their declared values; every mistake is an ``ExprError`` that names them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from observability.catalog import INSTANCE, JOB, SERVICE, Label, Metric
from observability.promql.expr import Expr, ExprError

RATE_INTERVAL = "$__rate_interval"
RANGE = "$__range"
LE = Label("le")
Part = Literal["", "bucket", "sum", "count"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label matcher other than plain equality; see ``matches`` and ``differs``."""

    operator: Literal["=", "!=", "=~"]
    value: str


NOW = Expr("time()", scalar=True)


def matches(regex: str) -> Matcher:
    """Match label values by ``regex``, anchored; also for a Grafana variable."""
    return Matcher("=~", regex)


def differs(value: str) -> Matcher:
    """Match any label value but this."""
    return Matcher("!=", value)


def select(metric: Metric, part: Part = "", /, **wanted: str | Matcher) -> Expr:
    """Return the series of ``metric`` (a histogram's ``part``) with the ``wanted`` labels."""
    if (metric.kind == "histogram") != bool(part):
        raise ExprError(f"{metric} is a {metric.kind}: no part {part!r} of it")
    labels = {label.name: label for label in _labels(metric, part)}
    matchers = {k: v if isinstance(v, Matcher) else Matcher("=", v) for k, v in wanted.items()}
    for name, matcher in matchers.items():
        if name not in labels:
            raise ExprError(f"{metric} has no label {name!r}; it has {', '.join(labels)}")
        _check_value(metric, labels[name], matcher)
    inside = ",".join(f'{name}{m.operator}"{m.value}"' for name, m in matchers.items())
    text = f"{metric}_{part}" if part else metric.name
    text += f"{{{inside}}}" if inside else ""
    return Expr(text, frozenset(labels), exemplars=part == "bucket")


def earlier(metric: Metric, ago: str, /, **wanted: str | Matcher) -> Expr:
    """The series of ``metric`` as they were ``ago``."""
    series = select(metric, **wanted)
    return Expr(f"{series} offset {ago}", series.labels)


def given(expr: Expr, condition: Expr) -> Expr:
    """``expr`` as long as ``condition`` has any series, whatever its labels."""
    return Expr(f"({expr}) and on () ({condition})", expr.labels, "and")


def _counted(function: str, metric: Metric, series: Expr, window: str) -> Expr:
    if metric.kind == "gauge":
        raise ExprError(f"{function} of {metric}, which is a gauge")
    return Expr(f"{function}({series}[{window}])", series.labels, exemplars=series.exemplars)


def moment(metric: Metric) -> Expr:
    """Return the Unix time of each series' latest sample, in seconds."""
    series = select(metric)
    return Expr(f"timestamp({series})", series.labels)


def rate(
    metric: Metric, window: str = RATE_INTERVAL, part: Part = "", /, **wanted: str | Matcher
) -> Expr:
    """Return the per-second rate of a counter, or of a histogram's ``part``."""
    return _counted("rate", metric, select(metric, part, **wanted), window)


def increase(metric: Metric, window: str, part: Part = "", /, **wanted: str | Matcher) -> Expr:
    """Return the increase of a counter, or of a histogram's ``part``, within ``window``."""
    return _counted("increase", metric, select(metric, part, **wanted), window)


def over(function: Literal["avg", "max", "sum", "count"], series: Expr, window: str) -> Expr:
    """Apply an aggregation over ``window`` to each series of a gauge."""
    return Expr(f"{function}_over_time({series}[{window}])", series.labels)


def samples(series: Expr, window: str) -> Expr:
    """The samples of a plain selector within ``window``, with the times of their scrapes."""
    return Expr(f"{series}[{window}]", series.labels)


def predict(series: Expr, window: str, seconds: float) -> Expr:
    """Extrapolate a gauge linearly by ``seconds``, from its ``window``."""
    return Expr(f"predict_linear({series}[{window}], {seconds:g})", series.labels)


def aggregate(operator: Literal["sum", "min", "max", "count"], expr: Expr, *by: Label) -> Expr:
    """Aggregate by the labels ``by``; to a single series without labels."""
    names = [label.name for label in by]
    if unknown := set(names) - expr.labels:
        raise ExprError(f"no label {', '.join(sorted(unknown))} in {expr}")
    clause = f" by ({', '.join(names)}) " if names else ""
    return Expr(f"{operator}{clause}({expr})", frozenset(names), exemplars=expr.exemplars)


def total(expr: Expr, *by: Label) -> Expr:
    """Sum by the labels ``by``."""
    return aggregate("sum", expr, *by)


def top(count: int, expr: Expr) -> Expr:
    """Return the ``count`` largest series at each time."""
    return Expr(f"topk({count}, {expr})", expr.labels, exemplars=expr.exemplars)


def quantile(q: float, metric: Metric, *by: Label, **wanted: str | Matcher) -> Expr:
    """Return the ``q`` quantile of a histogram by the labels ``by``, for dashboards."""
    inner = total(rate(metric, RATE_INTERVAL, "bucket", **wanted), LE, *by)
    return Expr(f"histogram_quantile({q:g}, {inner})", inner.labels - {LE.name}, exemplars=True)


def ratio(part: Expr, whole: Expr) -> Expr:
    """Return ``part`` / ``whole``: 0 without ``part``, no sample without ``whole``."""
    return (part | Expr(f"0 * {whole}", whole.labels, "*")) / whole


def absent(metric: Metric, **wanted: str) -> Expr:
    """Return 1, with the ``wanted`` labels, if no such series exists."""
    return Expr(f"absent({select(metric, **wanted)})", frozenset(wanted))


def _labels(metric: Metric, part: Part) -> tuple[Label, ...]:
    bounds = (*(str(float(bound)) for bound in metric.buckets), "+Inf")
    le = (Label(LE.name, bounds),) if part == "bucket" else ()
    return (*metric.labels, *le, JOB, Label(SERVICE.name, metric.services), INSTANCE)


def _check_value(metric: Metric, label: Label, matcher: Matcher) -> None:
    if not label.values or matcher.value.startswith("$"):
        return
    regex = matcher.value if matcher.operator == "=~" else re.escape(matcher.value)
    if not any(re.fullmatch(regex, value) for value in label.values):
        raise ExprError(f"{label.name} of {metric} is never {matcher.value!r}: {label.values}")
