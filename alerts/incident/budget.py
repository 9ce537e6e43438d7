"""How much of each objective's error budget the incident burnt."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.burn import LEFT, recordings
from alerts.incident.breakdowns import counted
from alerts.incident.prometheus_api import Prometheus
from alerts.incident.time_window import Window
from alerts.model import Recording
from alerts.objectives import OBJECTIVES, Objective
from observability.catalog import HTTP_DURATION, HTTP_REQUESTS, STATUS, Metric
from observability.promql.builders import Part, select
from observability.time_scale import TimeScale


@dataclass(frozen=True, slots=True)
class Burnt:
    """Requests, bad ones, and the share of the 30-day budget left; None if unknown."""

    objective: Objective
    requests: float
    bad: float
    before: float | None
    after: float | None

    @property
    def burnt(self) -> float | None:
        """The share of the budget that is gone since; None if that is not known."""
        if self.before is None or self.after is None:
            return None
        return self.before - self.after


def gather(prometheus: Prometheus, window: Window) -> list[Burnt]:
    """One for each objective; what is left is as the rules record it."""
    rules = [rule for group in recordings(TimeScale()) for rule in group.rules]
    recorded = {rule.name: rule.metric for rule in rules if isinstance(rule, Recording)}
    left = [_values(prometheus, recorded[LEFT], moment) for moment in (window.since, window.until)]
    return [
        Burnt(one, *_count(prometheus, window, one), left[0].get(one.name), left[1].get(one.name))
        for one in OBJECTIVES
    ]


def _count(prometheus: Prometheus, window: Window, objective: Objective) -> tuple[float, float]:
    """Requests under the objective, and bad ones."""

    def grown(metric: Metric, part: Part, **wanted: str) -> dict[str, float]:
        return counted(prometheus, metric, part, window, STATUS.name, **wanted)

    service = objective.service
    if objective.within:
        bound = str(float(objective.within))
        all_ = sum(grown(HTTP_DURATION, "count", service=service).values())
        good = sum(grown(HTTP_DURATION, "bucket", service=service, le=bound).values())
        return all_, all_ - good
    found = grown(HTTP_REQUESTS, "", service=service)
    return sum(found.values()), sum(v for status, v in found.items() if status.startswith("5"))


def _values(prometheus: Prometheus, metric: Metric, moment: float) -> dict[str, float]:
    return {labels["objective"]: value for labels, value in prometheus.at(select(metric), moment)}
