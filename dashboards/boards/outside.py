"""The services as probes and the simulator see them, beside their own metrics."""

from __future__ import annotations

from alerts.objectives import CERTIFICATE_SECONDS, LATENCY_OBJECTIVE
from dashboards.board import Dashboard
from dashboards.colours import RED
from dashboards.layout import Row
from dashboards.panels import AGREE, DOWN_UP, floors, limits, stat, timeseries
from dashboards.queries import Prom, scoped_gauge
from observability import catalog as c
from observability import exporters as e
from observability.catalog import SERVICE
from observability.conventions import PROBED_SERVICES
from observability.dashboard_uids import Board
from observability.promql.builders import NOW, aggregate, matches, over, select
from observability.promql.expr import Expr

SERVICES = matches("|".join(PROBED_SERVICES))

_SCRAPED = aggregate("min", select(e.UP, job=SERVICES), SERVICE)
# What a service says of itself is gone with it: then it is not ready.
NOT_READY = Expr(f"0 * {_SCRAPED}", _SCRAPED.labels, "*")

PROBES_ROW = Row(
    "Probes",
    (
        stat(
            "Now",
            "Whether each probe got what it expects.",
            Prom(aggregate("min", select(e.PROBE_SUCCESS), e.PROBE), "{{probe}}", instant=True),
            unit="none",
            mappings=DOWN_UP,
            width=24,
            height=4,
        ),
        stat(
            "Uptime in the time shown",
            "Share of the probes that succeeded.",
            Prom(
                aggregate("min", over("avg", select(e.PROBE_SUCCESS), "$__range"), e.PROBE),
                "{{probe}}",
                instant=True,
            ),
            unit="percentunit",
            width=24,
            height=4,
        ),
        timeseries(
            "Duration",
            "How long each probe took; the line is the simulator's timeout.",
            Prom(aggregate("max", select(e.PROBE_DURATION), e.PROBE), "{{probe}}"),
            unit="s",
            thresholds=limits((RED, LATENCY_OBJECTIVE)),
            width=12,
            height=10,
        ),
        timeseries(
            "Phases",
            "Where the time of each probe that does what users do goes.",
            Prom(
                aggregate("max", select(e.PROBE_PHASE, probe=matches("user-.+")), e.PROBE, e.PHASE),
                "{{probe}} {{phase}}",
            ),
            unit="s",
            width=12,
            height=10,
        ),
        timeseries(
            "Statuses",
            "What each probe was answered.",
            Prom(aggregate("max", select(e.PROBE_STATUS), e.PROBE), "{{probe}}"),
            unit="none",
            width=24,
            height=6,
        ),
    ),
)
AGREEMENT_ROW = Row(
    "Inside and outside, certificates",
    (
        stat(
            "Probes and readiness disagree",
            "Whether a service that calls itself ready serves its users, and the other way round.",
            Prom(
                (aggregate("min", select(c.READY, service=SERVICES), SERVICE) | NOT_READY)
                - aggregate("min", select(e.PROBE_SUCCESS, service=SERVICES), SERVICE),
                "{{service}}",
                instant=True,
            ),
            unit="none",
            mappings=AGREE,
            width=18,
        ),
        stat(
            "Certificates",
            "Time until the first certificate of the reverse proxy expires; an alert comes before.",
            Prom(
                aggregate("min", select(e.CERTIFICATE_END), e.PROBE) - NOW,
                "{{probe}}",
                instant=True,
            ),
            unit="s",
            thresholds=floors(CERTIFICATE_SECONDS),
            width=6,
            empty="without Docker there is no nginx, so there is no TLS",
            no_value="No TLS here",
        ),
        timeseries(
            "Probes by service",
            "1 while all probes of a service succeed.",
            Prom(
                aggregate("min", select(e.PROBE_SUCCESS, service=SERVICES), SERVICE), "{{service}}"
            ),
            unit="none",
            maximum=1,
        ),
        timeseries(
            "Ready replicas",
            "Replicas that call themselves ready: above zero here and 0 to the left is a fault on "
            "the way to them.",
            Prom(scoped_gauge(c.READY, SERVICE), "{{service}}"),
            unit="short",
        ),
        timeseries(
            "Targets up",
            "1 while every replica of a service answers the scrape.",
            Prom(aggregate("min", select(e.UP, job=SERVICES), SERVICE), "{{service}}"),
            unit="none",
            maximum=1,
        ),
    ),
)
OUTSIDE = Dashboard(
    Board.OUTSIDE,
    "MiniTwit from outside",
    "Do users reach MiniTwit, whatever it says of itself?",
    "dashboards/boards/outside.py",
    (PROBES_ROW, AGREEMENT_ROW),
)
