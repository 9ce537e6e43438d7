"""Error budgets: the remaining share of each, and alerts on burn rates.

Rates over a minute are recorded for each objective; every longer window is computed from them
(errors summed over requests summed, never an average of ratios), so that thirty days are cheap.

A burn rate is relative to the budget of 30 days. The time before the first sample of a new
Prometheus therefore counts as good requests at the same rate: three errors in the first minute do
not predict that 30 days will end badly.
"""

from __future__ import annotations

from functools import reduce
from operator import and_

from alerts.model import Alert, Group, Recording, stem
from alerts.objectives import (
    BURN_RATES,
    DAY,
    LOW_TRAFFIC,
    MINUTE,
    OBJECTIVES,
    PERIOD,
    BurnRate,
    Objective,
)
from observability.catalog import HTTP_DURATION, HTTP_REQUESTS, SERVICE, Label, Metric
from observability.dashboard_uids import Board
from observability.promql.builders import matches, over, rate, select, total
from observability.promql.expr import Expr
from observability.time_scale import TimeScale, duration

SHORTEST_WINDOW = min(burn.short_window for burn in BURN_RATES)
WINDOWS = sorted(
    {w for burn in BURN_RATES for w in (burn.long_window, burn.short_window)} | {PERIOD}
)
REQUESTS = f"objective:{stem(HTTP_REQUESTS)}:rate1m"
BAD = f"objective:{stem(HTTP_REQUESTS)}_bad:rate1m"
BUDGET_LEFT = "objective:slo_budget_left:ratio_rate30d"


def burn_name(window: float) -> str:
    """Return the name of the recording rule for the burn rate over ``window`` seconds."""
    return f"objective:slo_burn:ratio_rate{duration(window)}"


def recordings(scale: TimeScale) -> tuple[Group, ...]:
    """Return the rules of each objective: requests, bad requests, burn rates, budget left.

    Rules that look back a day or more read a million samples and change slowly: they are evaluated
    less often.
    """
    quick: list[Recording] = []
    slow: list[Recording] = []
    for objective in OBJECTIVES:
        requests, bad = _counts(objective, scale)
        quick += [requests, bad]
        for seconds in WINDOWS:
            rule = _burn_rate(objective, bad.metric, requests.metric, seconds, scale)
            (slow if seconds >= DAY else quick).append(rule)
        slow.append(_budget_left(objective))
    return (
        Group("minitwit-objectives", tuple(quick)),
        Group("minitwit-objectives-long", tuple(slow), interval=MINUTE),
    )


def alerts(scale: TimeScale) -> Group:
    """Return one alert for each row of ``BURN_RATES``, over all objectives."""
    rules = [rule for group in recordings(scale) for rule in group.rules]
    recorded = {rule.name: rule.metric for rule in rules if isinstance(rule, Recording)}
    return Group("minitwit-burn-rates", tuple(_alert(burn, recorded) for burn in BURN_RATES))


def _counts(objective: Objective, scale: TimeScale) -> tuple[Recording, Recording]:
    window, service = scale.window(MINUTE), objective.service
    labels = {"objective": objective.name}
    requests = total(rate(HTTP_REQUESTS, window, service=service), SERVICE)
    if objective.within:
        le = str(float(objective.within))
        good = total(rate(HTTP_DURATION, window, "bucket", service=service, le=le), SERVICE)
        bad = total(rate(HTTP_DURATION, window, "count", service=service), SERVICE) - good
    else:
        failed = total(rate(HTTP_REQUESTS, window, service=service, status=matches("5..")), SERVICE)
        # Without a failure yet the value is 0; without any request there is no value.
        bad = failed | Expr(f"0 * {requests}", requests.labels, "*")
    return (
        Recording(REQUESTS, "Requests per second that an objective covers.", requests, labels),
        Recording(BAD, "Bad requests per second that an objective covers.", bad, labels),
    )


def _burn_rate(
    objective: Objective, bad: Metric, requests: Metric, seconds: float, scale: TimeScale
) -> Recording:
    # A one-minute rate looks a minute further back than the range over which it is averaged.
    lookback = max(seconds - MINUTE, MINUTE)
    window = scale.window(lookback)
    failed = over("sum", select(bad, objective=objective.name), window)
    served = over("avg", select(requests, objective=objective.name), window)
    help_ = "Burn rate of an error budget; at 1 it lasts exactly its period."
    expected = objective.budget * scale.evaluations_in(lookback)
    return Recording(
        burn_name(seconds), help_, failed / served / expected, {"objective": objective.name}
    )


def _budget_left(objective: Objective) -> Recording:
    labels = {"objective": objective.name}
    burn_rate = Metric(burn_name(PERIOD), "gauge", "", (Label("objective"),), services=())
    left = Expr("1", scalar=True) - select(burn_rate, objective=objective.name)
    return Recording(BUDGET_LEFT, "Remaining share of an error budget.", left, labels)


def _alert(burn: BurnRate, recorded: dict[str, Metric]) -> Alert:
    """Return an alert; a critical one needs the shortest window too, to end soon."""
    windows = [burn.long_window, burn.short_window]
    if burn.severity == "critical" and burn.short_window > SHORTEST_WINDOW:
        windows.append(SHORTEST_WINDOW)
    burning = [select(recorded[burn_name(window)]) > burn.factor for window in windows]
    return Alert(
        f"MiniTwitBurnRate{duration(burn.long_window)}",
        reduce(and_, [*burning, select(recorded[REQUESTS]) > LOW_TRAFFIC]),
        for_=burn.for_,
        severity=burn.severity,
        summary="The error budget burns too fast.",
        impact="users and the simulator: requests fail or are late",
        description='{{ $labels.objective }} has burnt its budget {{ printf "%.1f" $value }} times '
        f"too fast for {duration(burn.long_window)}; the limit is {burn.factor:g}.",
        board=Board.OVERVIEW,
        runbook="MiniTwitBurnRate",
    )
