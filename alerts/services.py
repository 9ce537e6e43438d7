"""Rules on what users notice: services that are down, silent or failing."""

from __future__ import annotations

from functools import reduce
from operator import or_

from alerts.model import Alert, Group, Recording, stem
from alerts.objectives import (
    CERTIFICATE_SECONDS,
    DAY,
    ERROR_RATIO_LIMIT,
    LOW_TRAFFIC,
    MINUTE,
    YOUNG,
)
from observability.catalog import HTTP_REQUESTS, SERVICE
from observability.conventions import DEPLOYED_TARGETS, PROBED_SERVICES
from observability.dashboard_uids import Board
from observability.exporters import CERTIFICATE_END, NGINX_UP, PG_UP, PROBE_SUCCESS, UP
from observability.promql.builders import (
    NOW,
    absent,
    aggregate,
    earlier,
    given,
    matches,
    rate,
    ratio,
    select,
    total,
)
from observability.promql.expr import Expr
from observability.time_scale import TimeScale

# A service is one page, however many of its probes fail; this template names them.
FAILING_PROBES = (
    f"{{{{ range $i, $probe := printf `{PROBE_SUCCESS}{{service=%q}} == 0` $labels.service"
    ' | query | sortByLabel "probe" }}{{ if $i }}, {{ end }}{{ $probe.Labels.probe }}{{ end }}'
)


def grown(expr: Expr, scale: TimeScale) -> Expr:
    """``expr``, but not while Prometheus has just started and the rest with it.

    A restart within five minutes is no start: the samples from before it are still looked at.
    """
    return given(expr, aggregate("count", earlier(UP, scale.warm_up(YOUNG))))


def down(targets: tuple[str, ...]) -> Expr:
    """Return each of ``targets`` whose scrape fails, or that is not configured."""
    missing = [absent(UP, job=target, service=target) for target in targets]
    return reduce(or_, missing, select(UP, job=matches("|".join(targets))).equals(0))


def _database_down() -> Expr:
    """Return PostgreSQL down by its exporter, or an exporter that hangs.

    An exporter that hangs counts beside an api that runs and is not ready.
    """
    hanging = given(
        given(
            select(UP, job="postgres").equals(0),
            select(PROBE_SUCCESS, probe="api-ready").equals(0),
        ),
        select(UP, job="api").equals(1),
    )
    return select(PG_UP).equals(0) | hanging


def recordings(scale: TimeScale) -> Group:
    """Return the ratios and rates that alerts use."""
    window = scale.window(MINUTE)
    requests = total(rate(HTTP_REQUESTS, window), SERVICE)
    failed = total(rate(HTTP_REQUESTS, window, status=matches("5..")), SERVICE)
    return Group(
        "minitwit-requests",
        (
            Recording(
                f"service:{stem(HTTP_REQUESTS)}:rate1m", "Requests a second of a service.", requests
            ),
            Recording(
                f"service:{stem(HTTP_REQUESTS)}_failed_per_all:ratio_rate1m",
                "Share of requests that ended in a 5xx.",
                ratio(failed, requests),
            ),
        ),
    )


def alerts(scale: TimeScale) -> Group:
    """Return the pages, and a ticket for what could become one."""
    requests, errors = (
        rule.metric for rule in recordings(scale).rules if isinstance(rule, Recording)
    )
    return Group(
        "minitwit-services",
        (
            Alert(
                "MiniTwitTargetDown",
                grown(down(DEPLOYED_TARGETS), scale),
                for_=10,
                severity="critical",
                summary="A service of MiniTwit is down.",
                impact="users and the simulator",
                description="Prometheus cannot scrape {{ $labels.job }}"
                "{{ with $labels.instance }} at {{ . }}"
                "{{ else }}: it is not a target{{ end }}.",
            ),
            Alert(
                "MiniTwitDatabaseDown",
                _database_down(),
                for_=10,
                severity="critical",
                summary="PostgreSQL does not answer.",
                impact="everybody: nothing can be read or posted",
                description="The exporter at {{ $labels.instance }} gets no answer "
                "from PostgreSQL.",
            ),
            Alert(
                "MiniTwitProxyDown",
                # Without Docker there is no nginx, and neither series: nothing to be missed.
                select(NGINX_UP).equals(0) | select(UP, job="nginx").equals(0),
                for_=10,
                severity="critical",
                summary="The reverse proxy does not answer.",
                impact="everybody outside: no request arrives",
                description="nginx, or its exporter at {{ $labels.instance }}, does not answer.",
            ),
            Alert(
                "MiniTwitProbeFailing",
                # As young as the alert on its cause: what never comes up is one page.
                grown(
                    aggregate(
                        "min",
                        select(PROBE_SUCCESS, service=matches("|".join(PROBED_SERVICES))),
                        SERVICE,
                    ).equals(0),
                    scale,
                ),
                for_=15,
                severity="critical",
                summary="A synthetic probe fails.",
                impact="users outside",
                description=f"These probes of {{{{ $labels.service }}}} fail: {FAILING_PROBES}.",
            ),
            Alert(
                "MiniTwitCertificateExpiring",
                select(CERTIFICATE_END) - NOW < CERTIFICATE_SECONDS,
                for_=MINUTE,
                severity="warning",
                summary="A certificate expires soon, or has expired.",
                impact="nobody yet; everybody once it has expired",
                description="The certificate of {{ $labels.instance }} ends in "
                "{{ $value | humanizeDuration }}; "
                f"the limit is {CERTIFICATE_SECONDS // DAY} days.",
                board=Board.OUTSIDE,
            ),
            Alert(
                "MiniTwitErrorRatio",
                (select(errors) > ERROR_RATIO_LIMIT) & (select(requests) > LOW_TRAFFIC),
                for_=15,
                severity="critical",
                summary="Too many requests fail with a server error.",
                impact="users and the simulator: requests fail",
                description="{{ $value | humanizePercentage }} of the requests to "
                "{{ $labels.service }} ended in a 5xx within a minute; "
                f"the limit is {ERROR_RATIO_LIMIT:.0%}.",
            ),
        ),
    )
