"""Alerts without a receiver: they inhibit symptoms whose windows still drain.

A cause that has ended no longer inhibits, but a window of a minute still contains its errors for a
minute, and one of five minutes for five. Operators who knew of the cause must not be paged for
that. What fires beyond that time is a new fault, and pages.
"""

from __future__ import annotations

from alerts.model import Alert, Group
from alerts.objectives import MINUTE
from observability.catalog import API, SERVICE, WEB
from observability.clock import Clock
from observability.exporters import ALERTS
from observability.promql.builders import matches, select, total

PAGE = "MiniTwitDraining"
# name → seconds after the cause: the window, and half a minute until it is judged once more
DRAINING = {f"{PAGE}1m": 1.5 * MINUTE, f"{PAGE}5m": 5 * MINUTE}


def alerts(_: Clock) -> Group:
    """Return one alert for each length of window."""
    database = select(ALERTS, alertname="MiniTwitDatabaseDown", alertstate="firing")
    services = select(
        ALERTS,
        alertname="MiniTwitTargetDown",
        alertstate="firing",
        service=matches(f"{API}|{WEB}"),
    )
    causes = total(database, SERVICE) | total(services, SERVICE)
    return Group(
        "minitwit-draining",
        tuple(
            Alert(
                name,
                causes > 0,
                wait=0,
                keep=seconds,
                severity="none",
                summary="The windows of an outage still drain.",
                impact="nobody",
                description="{{ $labels.service }} was told of; its consequences are inhibited.",
                page=PAGE,
            )
            for name, seconds in DRAINING.items()
        ),
    )
