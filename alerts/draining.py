"""Alerts without a receiver: they inhibit symptoms whose windows still hold an outage's errors.

A cause that has ended no longer inhibits, but a window of a minute still contains its errors for a
minute, and one of five minutes for five. Operators who knew of the cause must not be paged for
that. What fires beyond that time is a new fault, and pages.
"""

from __future__ import annotations

from alerts.model import Alert, Group
from alerts.objectives import MINUTE
from observability.catalog import SERVICE
from observability.exporters import ALERTS
from observability.promql.builders import matches, select, total
from observability.promql.expr import Expr
from observability.time_scale import TimeScale

RUNBOOK = "MiniTwitDraining"
DOWN_ALERTS = ("MiniTwitDatabaseDown", "MiniTwitTargetDown")
# name → seconds after the cause, and the causes. A probe is repeated within seconds; windows of a
# minute and of five must have passed completely. No alert is a cause of its own inhibition.
DRAINING = {
    f"{RUNBOOK}20s": (20.0, DOWN_ALERTS),
    f"{RUNBOOK}1m": (1.5 * MINUTE, (*DOWN_ALERTS, "MiniTwitProbeFailing")),
    f"{RUNBOOK}5m": (5.0 * MINUTE, (*DOWN_ALERTS, "MiniTwitProbeFailing", "MiniTwitErrorRatio")),
}


def alerts(_: TimeScale) -> Group:
    """Return one alert for each length of window."""
    return Group(
        "minitwit-draining",
        tuple(
            Alert(
                name,
                total(_firing(causes), SERVICE) > 0,
                for_=0,
                keep_firing_for=seconds,
                severity="none",
                summary="The windows of an outage still drain.",
                impact="nobody",
                description="{{ $labels.service }} has or had an alert; symptoms are inhibited.",
                runbook=RUNBOOK,
            )
            for name, (seconds, causes) in DRAINING.items()
        ),
    )


def _firing(causes: tuple[str, ...]) -> Expr:
    names = matches("|".join(causes))
    return select(ALERTS, alertname=names, alertstate="firing")
