"""Which rules exist, and the rule files they make."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from alerts import monitoring, services
from alerts.model import Alert, Group
from observability.clock import Clock
from observability.generated import mark

PRODUCTION = Clock()


def files(clock: Clock = PRODUCTION) -> dict[str, tuple[Group, ...]]:
    """The groups of each rule file."""
    return {
        "recording.yml": (services.recordings(clock),),
        "alerts.yml": (services.alerts(clock), monitoring.alerts(clock)),
    }


def all_alerts(clock: Clock = PRODUCTION) -> Iterator[Alert]:
    """Every alert."""
    for groups in files(clock).values():
        for group in groups:
            yield from (rule for rule in group.rules if isinstance(rule, Alert))


def render(clock: Clock = PRODUCTION) -> dict[str, str]:
    """Every generated file: its name and its text."""
    pace = (
        "" if clock.scale == 1 else f"# For drills: {clock.scale:g} times as fast as production.\n"
    )
    return {
        name: f"# {mark('alerts/*.py')}\n{pace}" + _dump(groups, clock)
        for name, groups in files(clock).items()
    }


def _dump(groups: tuple[Group, ...], clock: Clock) -> str:
    document = {"groups": [group.to_yaml(clock) for group in groups]}
    return yaml.safe_dump(document, sort_keys=False, width=10_000, allow_unicode=True)
