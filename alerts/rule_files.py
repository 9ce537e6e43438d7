"""All rules, and the rule files they are rendered into."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from alerts import burn, business, database, draining, logs, monitoring, saturation, services
from alerts.model import Alert, Group
from observability.generated import mark
from observability.time_scale import TimeScale

PRODUCTION = TimeScale()
LOKI = "loki/"  # the folder of those that Loki's ruler evaluates


def files(scale: TimeScale = PRODUCTION) -> dict[str, tuple[Group, ...]]:
    """Return the groups of each rule file that Prometheus evaluates."""
    watched = (services, burn, saturation, database, business, monitoring, draining)
    return {
        "recording.yml": (services.recordings(scale), *burn.recordings(scale)),
        "alerts.yml": tuple(part.alerts(scale) for part in watched),
    }


def log_files(scale: TimeScale = PRODUCTION) -> dict[str, tuple[Group, ...]]:
    """Return the groups of each rule file that Loki evaluates."""
    return {f"{LOKI}alerts.yml": (logs.alerts(scale),)}


def all_alerts(scale: TimeScale = PRODUCTION) -> Iterator[Alert]:
    """Return every alert, of Prometheus and of Loki."""
    for groups in (*files(scale).values(), *log_files(scale).values()):
        for group in groups:
            yield from (rule for rule in group.rules if isinstance(rule, Alert))


def log_alerts() -> set[str]:
    """Return the names of the alerts that Loki evaluates."""
    return {rule.name for groups in log_files().values() for g in groups for rule in g.rules}


def render(scale: TimeScale = PRODUCTION) -> dict[str, str]:
    """Return every generated file: its name and its text."""
    pace = (
        ""
        if scale.factor == 1
        else f"# For drills: {scale.factor:g} times as fast as production.\n"
    )
    return {
        name: f"# {mark('alerts/*.py')}\n{pace}" + _dump(groups, scale)
        for name, groups in (files(scale) | log_files(scale)).items()
    }


def _dump(groups: tuple[Group, ...], scale: TimeScale) -> str:
    document = {"groups": [group.to_yaml(scale) for group in groups]}
    return yaml.safe_dump(document, sort_keys=False, width=10_000, allow_unicode=True)
