"""Rules for the business: registrations, log-ins, posts, and the simulator."""

from __future__ import annotations

from alerts import objectives as limits
from alerts.model import Alert, Group
from alerts.objectives import LOW_TRAFFIC, MINUTE
from observability.catalog import (
    HTTP_REQUESTS,
    LOGINS,
    MESSAGES,
    REGISTRATIONS,
    SERVICE,
    SIMULATOR_LATEST_TIME,
)
from observability.dashboard_uids import Board
from observability.promql.builders import (
    NOW,
    Matcher,
    aggregate,
    differs,
    increase,
    matches,
    rate,
    ratio,
    select,
    total,
)
from observability.time_scale import TimeScale

# The probe's posts are requests, but no messages: where nobody else posts, none is refused.
REFUSED: dict[str, str | Matcher] = {
    "method": "POST",
    "route": "/msgs/{username}",
    "status": matches("4..|5.."),
}


def alerts(scale: TimeScale) -> Group:
    """Return a page for when posting is impossible, and tickets for the rest."""
    minute, long = scale.window(MINUTE), scale.window(5 * MINUTE)
    tried = total(increase(REGISTRATIONS, long), SERVICE)
    refused = total(increase(REGISTRATIONS, long, outcome=differs("ok")), SERVICE)
    latest = aggregate("max", select(SIMULATOR_LATEST_TIME), SERVICE)
    return Group(
        "minitwit-business",
        (
            Alert(
                "MiniTwitNoPosts",
                total(rate(MESSAGES, minute, outcome="ok"), SERVICE).equals(0)
                & (total(rate(HTTP_REQUESTS, minute, **REFUSED), SERVICE) > LOW_TRAFFIC),
                for_=30,
                severity="critical",
                summary="All posts are rejected.",
                impact="everybody who posts",
                description="For a minute {{ $labels.service }} has rejected every post.",
                board=Board.BUSINESS,
            ),
            Alert(
                "MiniTwitRegistrationsFailing",
                (ratio(refused, tried) > limits.REGISTRATIONS_FAILING)
                & (tried > limits.REGISTRATIONS_LEAST),
                for_=30,
                severity="warning",
                summary="Most registrations are rejected.",
                impact="new users",
                description="{{ $value | humanizePercentage }} of the attempts to register within "
                "five minutes were refused; "
                f"the limit is {limits.REGISTRATIONS_FAILING:.0%}.",
                board=Board.BUSINESS,
            ),
            Alert(
                "MiniTwitLoginAttack",
                total(rate(LOGINS, minute, outcome=differs("ok")), SERVICE)
                > limits.FAILED_LOGINS_LIMIT,
                for_=15,
                keep_firing_for=30,  # until the lines of the refused log-ins have left their window
                severity="warning",
                summary="Someone is guessing passwords.",
                impact="users with weak passwords",
                description='{{ printf "%.1f" $value }} attempts a second to log in fail; '
                f"the limit is {limits.FAILED_LOGINS_LIMIT:g}.",
                board=Board.BUSINESS,
            ),
            Alert(
                "MiniTwitSimulatorStalled",
                # 0 is said by who never saw the simulator.
                (NOW - latest > scale.max_age(limits.STALL_SECONDS)) & (latest > 0),
                for_=10,
                severity="warning",
                summary="The simulator has stopped acting.",
                impact="the simulator's score",
                description="The simulator's latest action is {{ $value | humanizeDuration }} old; "
                f"the limit is {limits.STALL_SECONDS:g} s.",
                board=Board.SIMULATOR,
            ),
        ),
    )
