"""The objectives on the overview: whether they are met, and what is left."""

from __future__ import annotations

from alerts import burn
from alerts.model import Recording
from alerts.objectives import BURN_RATES, HOUR, OBJECTIVES, PERIOD
from dashboards import since
from dashboards.colours import RED
from dashboards.layout import Row
from dashboards.panels import Panel, floors, limits, stat, timeseries
from dashboards.queries import Prom
from observability.dashboard_uids import Board
from observability.promql.builders import select
from observability.time_scale import TimeScale

RECORDED = {
    rule.name: rule.metric
    for group in burn.recordings(TimeScale())
    for rule in group.rules
    if isinstance(rule, Recording)
}
LITTLE_LEFT = 0.25  # share of a budget
PAGE = next(rate for rate in BURN_RATES if rate.long_window == HOUR)


def _good() -> tuple[Prom, ...]:
    """The share of good requests of each objective, beside its target."""
    metric = RECORDED[burn.burn_name(PERIOD)]
    return tuple(
        Prom(
            1 - select(metric, objective=objective.name) * objective.budget,
            f"{objective.name}: {objective.target * 100:g} % promised",
            instant=True,
        )
        for objective in OBJECTIVES
    )


BUDGET = since.dated(
    stat(
        "Error budget left",
        "What is left of the bad requests that 30 days may have: below zero the promise is broken. "
        "Where samples are younger, the time before them counts as good. "
        "Empty for the first minutes of a new Prometheus.",
        Prom(select(RECORDED[burn.BUDGET_LEFT]), "{{objective}}", instant=True),
        since.query(PERIOD),
        unit="percentunit",
        thresholds=floors(LITTLE_LEFT, 0),
        decimals=0,
        width=12,
    )
)


def burning(seconds: float, title: str, description: str, width: int, height: int) -> Panel:
    """The burn rate of each budget over ``seconds``, and the threshold that pages."""
    return timeseries(
        title,
        description,
        Prom(select(RECORDED[burn.burn_name(seconds)]), "{{objective}}"),
        unit="none",
        thresholds=limits((RED, PAGE.factor)),
        width=width,
        height=height,
    )


BURN = burning(
    HOUR,
    "Burn rate over an hour",
    "How many times too fast each budget burns: at 1 it lasts just 30 days; at the line someone "
    "is paged.",
    width=8,
    height=6,
)
OBJECTIVES_ROW = Row(
    "Objectives of 30 days",
    (
        since.dated(
            stat(
                "Good requests in 30 days",
                "Share of requests that were no 5xx (availability) or quick enough (latency). "
                "Where samples are younger, the time before them counts as good.",
                *_good(),
                since.query(PERIOD),
                unit="percentunit",
                decimals=3,
                width=24,
            )
        ),
        burning(
            PAGE.short_window,
            "Burn rate over 5 minutes",
            "How fast each budget burns at present: below the line again, what happened is over.",
            width=24,
            height=8,
        ),
    ),
    collapsed=True,
    details=Board.HTTP,
)
