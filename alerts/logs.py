"""Rules on log lines, evaluated by Loki's ruler; Promtail sets the labels."""

from __future__ import annotations

from alerts.model import Alert, Group
from alerts.objectives import INVALID_REQUESTS_LIMIT, LOGGED_ERRORS_LIMIT, MINUTE
from observability.catalog import SERVICE
from observability.dashboard_uids import Board
from observability.promql.builders import matches
from observability.promql.expr import Expr
from observability.promql.logql import lines, rate_of
from observability.time_scale import TimeScale


def alerts(scale: TimeScale) -> Group:
    """Return the alerts on errors that the services log."""
    minute = scale.window(MINUTE)

    def a_second(selected: str) -> Expr:
        return Expr(rate_of(selected, SERVICE.name, window=minute), frozenset({SERVICE.name}))

    return Group(
        "minitwit-logs",
        (
            Alert(
                "MiniTwitErrorsLogged",
                a_second(lines(level=matches("error|critical"))) > LOGGED_ERRORS_LIMIT,
                for_=10,
                severity="warning",
                summary="A service logs errors.",
                impact="those whose requests failed",
                description='{{ $labels.service }} logs {{ printf "%.1f" $value }} errors '
                f"a second; the limit is {LOGGED_ERRORS_LIMIT:g}.",
                board=Board.LOGS,
            ),
            Alert(
                "MiniTwitInvalidRequests",
                a_second(lines(event="invalid_request")) > INVALID_REQUESTS_LIMIT,
                for_=30,  # as long as its causes: refused registrations and log-ins
                severity="warning",
                summary="A service gets many invalid requests.",
                impact="the clients that send them",
                description='{{ $labels.service }} rejects {{ printf "%.1f" $value }} invalid '
                f"requests a second; the limit is {INVALID_REQUESTS_LIMIT:g}.",
                board=Board.LOGS,
            ),
        ),
    )
