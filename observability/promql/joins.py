"""PromQL joins: adds labels of one metric to another, or derives a label from another."""

from __future__ import annotations

from observability.catalog import BUILD_INFO, INSTANCE, SERVICE, Label
from observability.conventions import RUNBOOKS
from observability.exporters import ALERTS, ALERTS_SINCE
from observability.promql.builders import Matcher, select
from observability.promql.expr import Expr, ExprError

VERSION = Label("version")


def with_version(series: Expr) -> Expr:
    """Add the label version to ``series`` of a service's replicas."""
    join = (SERVICE.name, INSTANCE.name)
    if missing := set(join) - series.labels:
        raise ExprError(f"no label {', '.join(sorted(missing))} in {series}")
    return Expr(
        f"{series} * on ({', '.join(join)}) group_left ({VERSION.name}) {BUILD_INFO}",
        series.labels | {VERSION.name},
        "*",
        exemplars=series.exemplars,
    )


def firing_since(**wanted: str | Matcher) -> Expr:
    """Return when each firing alert became active, in Unix time."""
    firing = select(ALERTS, alertstate="firing", **wanted)
    since = select(ALERTS_SINCE)
    return Expr(f"{since} and ignoring (alertstate) {firing}", since.labels, "and")


def relabel(expr: Expr, new: Label, old: Label, regex: str, text: str = "$1") -> Expr:
    """Set the label ``new`` to ``text`` with the groups of ``regex``, matched against ``old``."""
    if old.name not in expr.labels:
        raise ExprError(f"no label {old.name} in {expr}")
    return Expr(
        f'label_replace({expr}, "{new.name}", "{text}", "{old.name}", "{regex}")',
        expr.labels | {new.name},
    )


def addressed(pages: Expr, label: Label) -> Expr:
    """Turn the name of a runbook in ``label`` into a URL, from the Watchdog's.

    Without a Watchdog the name is the path, so that no alert is missing.
    """
    watchdog = select(ALERTS, alertname="Watchdog", alertstate="firing")
    base = f"(max by ({RUNBOOKS}) ({watchdog}) or on () vector(1))"
    joined = f"({pages}) * on () group_left ({RUNBOOKS}) {base}"
    path = f'label_join({joined}, "{label.name}", "/", "{RUNBOOKS}", "{label.name}")'
    return relabel(Expr(path, pages.labels | {RUNBOOKS}), label, label, "(.*)", "$1.md")
