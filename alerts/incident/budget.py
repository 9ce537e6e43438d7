"""How much of each objective's error budget the incident spent."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.burn import BUDGET_LEFT, recordings
from alerts.incident.breakdowns import increases
from alerts.incident.prometheus_api import Prometheus
from alerts.incident.time_window import Window
from alerts.model import Recording
from alerts.objectives import OBJECTIVES, Objective
from observability.catalog import HTTP_DURATION, HTTP_REQUESTS, STATUS, Metric
from observability.promql.builders import Part, select
from observability.time_scale import TimeScale


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """Requests, bad ones, and the share of the 30-day error budget left before and after.

    A share is None if it is not known.
    """

    objective: Objective
    requests: float
    bad: float
    before: float | None
    after: float | None

    @property
    def spent(self) -> float | None:
        """The share of the error budget that was spent; None if not known."""
        if self.before is None or self.after is None:
            return None
        return self.before - self.after


def gather(prometheus: Prometheus, window: Window) -> list[BudgetUse]:
    """Return the use of each objective's budget, as the recording rules have it."""
    rules = [rule for group in recordings(TimeScale()) for rule in group.rules]
    recorded = {rule.name: rule.metric for rule in rules if isinstance(rule, Recording)}
    left = [
        _values(prometheus, recorded[BUDGET_LEFT], moment)
        for moment in (window.since, window.until)
    ]
    return [
        BudgetUse(
            one, *_count(prometheus, window, one), left[0].get(one.name), left[1].get(one.name)
        )
        for one in OBJECTIVES
    ]


def _count(prometheus: Prometheus, window: Window, objective: Objective) -> tuple[float, float]:
    """Return the requests that the objective is about, and the bad ones."""

    def count(metric: Metric, part: Part, **wanted: str) -> dict[str, float]:
        return increases(prometheus, metric, part, window, STATUS.name, **wanted)

    service = objective.service
    if objective.within:
        bound = str(float(objective.within))
        all_ = sum(count(HTTP_DURATION, "count", service=service).values())
        good = sum(count(HTTP_DURATION, "bucket", service=service, le=bound).values())
        return all_, all_ - good
    found = count(HTTP_REQUESTS, "", service=service)
    return sum(found.values()), sum(v for status, v in found.items() if status.startswith("5"))


def _values(prometheus: Prometheus, metric: Metric, moment: float) -> dict[str, float]:
    return {
        labels["objective"]: value for labels, value in prometheus.instant(select(metric), moment)
    }
