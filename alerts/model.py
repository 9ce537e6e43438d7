"""Alerts and recording rules as data; breaking a convention raises ``ValueError``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from observability.catalog import INSTANCE, JOB, SERVICE, Label, Metric
from observability.conventions import GRAFANA, RUNBOOKS
from observability.dashboard_uids import Board
from observability.promql.expr import Expr
from observability.time_scale import TimeScale, duration

Severity = Literal["critical", "warning", "info", "none"]
FROM_SERIES = "{{ $labels.service }}"
ALERT_NAME = re.compile(r"MiniTwit[A-Z][A-Za-z0-9]+|Watchdog")
# level:metric:operations, as Prometheus's own advice has it.
RECORD_NAME = re.compile(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+")
LABEL_USE = re.compile(r"\$labels\.(\w+)")
IMPACT_LENGTH = 50  # characters: the chat's one line has little room
SCRAPED = {JOB.name, SERVICE.name, INSTANCE.name}


def external_label(name: str) -> str:
    """Return the template of the external label ``name``, a base URL."""
    return f"{{{{ $externalLabels.{name} }}}}"


def stem(metric: Metric) -> str:
    """Return the form of ``metric`` within the name of a recording rule."""
    return metric.name.removesuffix("_total")


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule; other expressions refer to its result by ``metric``.

    ``labels`` are added to those of the expression.
    """

    name: str
    help: str
    expr: Expr
    labels: Mapping[str, str] = field(default_factory=dict)
    metric: Metric = field(init=False)

    def __post_init__(self) -> None:
        if not RECORD_NAME.fullmatch(self.name) or "_total" in self.name:
            raise ValueError(f"recording rule {self.name}: the form is level:metric:operations")
        labels = tuple(Label(name) for name in sorted({*self.expr.labels, *self.labels} - SCRAPED))
        metric = Metric(self.name, "gauge", self.help, labels, services=())
        object.__setattr__(self, "metric", metric)

    def to_yaml(self, _: TimeScale) -> dict[str, Any]:
        """Return the rule's entry in a rule file."""
        labels = {"labels": dict(self.labels)} if self.labels else {}
        return {"record": self.name, "expr": self.expr.text, **labels}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule.

    Fields are named as in a rule file; ``for_`` and ``keep_firing_for`` are seconds. ``service`` is
    a name or a template over the labels, ``summary`` one plain sentence, ``description`` a template
    with the values. ``impact`` names in a few words who is affected. ``board`` is the dashboard
    that the alert links to, ``runbook`` the runbook's name if it is not the alert's. ``labels``
    and ``annotations`` are added to those that every alert has.
    """

    name: str
    expr: Expr
    for_: float
    severity: Severity
    summary: str
    impact: str
    description: str
    service: str = FROM_SERIES
    board: Board = Board.OVERVIEW
    keep_firing_for: float = 0
    runbook: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        used = set(LABEL_USE.findall(self.description + self.service))
        faults = {
            "the name is MiniTwit and CamelCase": not ALERT_NAME.fullmatch(self.name),
            "unknown severity": self.severity not in get_args(Severity),
            "the service is missing, or holds a value": not self.service
            or "$value" in self.service,
            "the summary is one plain sentence": "{{" in self.summary
            or not self.summary.endswith("."),
            "the impact is a few words": not 5 < len(self.impact) <= IMPACT_LENGTH,
            f"the expression has no label {used - self.expr.labels}": used - self.expr.labels,
        }
        if found := [fault for fault, present in faults.items() if present]:
            raise ValueError(f"alert {self.name}: {'; '.join(found)}")

    @property
    def runbook_file(self) -> str:
        """The file name of its runbook, in ``alerts/runbooks``."""
        return f"{self.runbook or self.name}.md"

    def to_yaml(self, scale: TimeScale) -> dict[str, Any]:
        """Return the rule's entry in a rule file, at this time scale."""
        rule: dict[str, Any] = {"alert": self.name, "expr": self.expr.text}
        if self.for_:
            rule["for"] = scale.for_duration(self.for_)
        if self.keep_firing_for:
            rule["keep_firing_for"] = scale.for_duration(self.keep_firing_for)
        return {
            **rule,
            "labels": {"severity": self.severity, "service": self.service, **self.labels},
            "annotations": {
                "summary": self.summary,
                "impact": self.impact,
                "description": self.description,
                "runbook_url": f"{external_label(RUNBOOKS)}/{self.runbook_file}",
                "dashboard_url": f"{external_label(GRAFANA)}{self.board.path}",
                **self.annotations,
            },
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules evaluated together, in this order, every ``interval`` seconds if set."""

    name: str
    rules: tuple[Recording | Alert, ...]
    interval: float = 0

    def to_yaml(self, scale: TimeScale) -> dict[str, Any]:
        """Return the group's entry in a rule file, at this time scale."""
        return {
            "name": self.name,
            "interval": scale.interval(self.interval)
            if self.interval
            else duration(scale.evaluation_interval),
            "rules": [rule.to_yaml(scale) for rule in self.rules],
        }
