"""Queries of a deploy: may it start, and is the new version worse?

The scripts in ``deploy/`` fill in ``$service``, ``$instance`` (a regular expression of replicas)
and ``$__range`` (how long both have been serving).
"""

from __future__ import annotations

from alerts.burn import BUDGET_LEFT, recordings
from alerts.model import Recording
from observability.catalog import BUILD_INFO, HTTP_DURATION, HTTP_REQUESTS, SERVICE
from observability.exporters import ALERTS
from observability.generated import mark
from observability.promql.builders import (
    LE,
    RANGE,
    Matcher,
    increase,
    matches,
    rate,
    select,
    total,
)
from observability.promql.expr import Expr
from observability.promql.joins import VERSION, with_version
from observability.time_scale import TimeScale

FILE = "deploy/queries.promql"
ROUNDING = 1e-9  # a budget with less than this left is spent
REPLICAS: dict[str, str | Matcher] = {"service": "$service", "instance": matches("$instance")}


def queries() -> dict[str, Expr]:
    """Return each query by its name; those that compare two versions are by version."""
    rules = [rule for group in recordings(TimeScale()) for rule in group.rules]
    left = next(r.metric for r in rules if isinstance(r, Recording) and r.name == BUDGET_LEFT)
    requests = increase(HTTP_REQUESTS, RANGE, **REPLICAS)
    failed = increase(HTTP_REQUESTS, RANGE, status=matches("5.."), **REPLICAS)
    # Since these replicas started: `increase` would miss errors before the first scrape.
    errors = select(HTTP_REQUESTS, status=matches("5.."), instance=matches("$instance"))
    buckets = with_version(rate(HTTP_DURATION, RANGE, "bucket", **REPLICAS))
    summed = total(buckets, LE, SERVICE, VERSION)
    return {
        "critical": select(ALERTS, alertstate="firing", severity="critical"),
        "spent": select(left) < ROUNDING,
        "version": select(BUILD_INFO, **REPLICAS),
        "errors": total(errors),
        "requests": total(with_version(requests), SERVICE, VERSION),
        "failed": total(with_version(failed), SERVICE, VERSION),
        "p99": Expr(f"histogram_quantile(0.99, {summed})", frozenset({"service", "version"})),
    }


def render() -> str:
    """The generated file: a name and an expression a line."""
    lines = [f"{name} {expr}" for name, expr in queries().items()]
    return "\n".join([f"# {mark('alerts/deploy_queries.py')}", *lines]) + "\n"
