"""The lower half of the overview: what stands behind the services, and what users do."""

from __future__ import annotations

from alerts.objectives import LATENCY_OBJECTIVE, RESTARTS_TOLERATED
from dashboards.layout import Row
from dashboards.panels import DOWN_UP, RED, YELLOW, limits, stat, timeseries
from dashboards.queries import CHOSEN, Prom, held, summed
from observability import catalog as c
from observability import exporters as e
from observability.catalog import INSTANCE, OPERATION, QUERY, SERVICE, Label
from observability.conventions import Board
from observability.promql.builders import (
    NOW,
    RANGE,
    aggregate,
    increase,
    quantile,
    rate,
    select,
    total,
)

OUTCOME, REASON, KIND, STATE = Label("outcome"), Label("reason"), Label("kind"), Label("state")

DEPENDENCIES_ROW = Row(
    "Behind the services: api, database",
    (
        timeseries(
            "Calls from web to api",
            "95 % of the calls were answered within this, by what they were for.",
            Prom(quantile(0.95, c.UPSTREAM_DURATION, OPERATION), "{{operation}}"),
            unit="s",
            limit=limits((RED, LATENCY_OBJECTIVE)),
        ),
        timeseries(
            "Failed calls from web to api",
            "Calls that brought no usable answer, by reason.",
            Prom(summed(c.UPSTREAM_ERRORS, REASON), "{{reason}}"),
            unit="ops",
        ),
        timeseries(
            "Failed statements",
            "Statements that failed, by kind.",
            Prom(summed(c.DB_ERRORS, KIND), "{{kind}}"),
            unit="ops",
        ),
        timeseries(
            "Statements",
            "95 % of the statements took no longer, by the name they have in the code.",
            Prom(quantile(0.95, c.DB_QUERY_DURATION, QUERY), "{{query}}"),
            unit="s",
            width=6,
        ),
        timeseries(
            "Connections",
            "Connections that the pools hold, and the most that they may hold.",
            Prom(held(c.DB_POOL_CONNECTIONS, STATE), "{{state}}"),
            Prom(held(c.DB_POOL_LIMIT), "limit"),
            unit="short",
            width=6,
        ),
        timeseries(
            "Waiting for a connection",
            "Requests in the queue of the pool: above zero for long means it is too small.",
            Prom(held(c.DB_POOL_WAITING, INSTANCE), "{{instance}}"),
            unit="short",
            width=6,
        ),
        timeseries(
            "Passwords",
            "Passwords being hashed or waiting for it: registrations and log-ins wait for this.",
            Prom(held(c.HASHES_WAITING, INSTANCE), "{{instance}}"),
            unit="short",
            width=6,
        ),
    ),
    leads=Board.DATABASE,
)
BUSINESS_ROW = Row(
    "What users do",
    (
        *(
            timeseries(
                title,
                f"{what}, by how they ended.",
                Prom(summed(metric, *by), " ".join(f"{{{{{label.name}}}}}" for label in by)),
                unit="ops",
                width=6,
            )
            for title, what, metric, by in (
                ("Messages", "Attempts to post", c.MESSAGES, (OUTCOME,)),
                (
                    "Follows",
                    "Attempts to follow or unfollow",
                    c.FOLLOWS,
                    (Label("action"), OUTCOME),
                ),
                ("Registrations", "Attempts to register", c.REGISTRATIONS, (OUTCOME,)),
                ("Logins", "Attempts to log in", c.LOGINS, (OUTCOME,)),
            )
        ),
    ),
    leads=Board.BUSINESS,
)
SIMULATOR_ROW = Row(
    "Simulator and stored data",
    (
        stat(
            "Latest action",
            "The id of the simulator's latest action; -1 before any.",
            Prom(aggregate("max", select(c.SIMULATOR_LATEST)), "latest", instant=True),
            unit="none",
            width=4,
        ),
        stat(
            "Age of the latest action",
            "Time since any replica took an action of the simulator; nothing before the first.",
            Prom(NOW - aggregate("max", select(c.SIMULATOR_LATEST_TIME) > 0), "age", instant=True),
            unit="s",
            width=4,
        ),
        stat(
            "Rows",
            "Rows in each table, as the database's statistics estimate them.",
            Prom(
                aggregate("max", select(c.ROWS), Label("table")),
                "{{table}}",
                instant=True,
            ),
            unit="short",
            width=10,
        ),
        stat(
            "Database",
            "Whether the exporter reaches PostgreSQL.",
            Prom(aggregate("min", select(e.PG_UP)), "PostgreSQL", instant=True),
            unit="none",
            mappings=DOWN_UP,
            width=3,
        ),
        stat(
            "Versions",
            "Replicas running, by service and version.",
            Prom(
                aggregate("count", select(c.BUILD_INFO), SERVICE, Label("version")),
                "{{service}} {{version}}",
                instant=True,
            ),
            unit="none",
            width=3,
        ),
    ),
    leads=Board.SIMULATOR,
)
RUNTIME_ROW = Row(
    "Processes",
    (
        timeseries(
            "Event-loop lag",
            "99 % of timers came no later than this: what every request waits at least.",
            Prom(
                quantile(0.99, c.EVENT_LOOP_LAG, SERVICE, INSTANCE, **CHOSEN),
                "{{service}} {{instance}}",
            ),
            unit="s",
        ),
        timeseries(
            "Memory",
            "Memory that each process holds.",
            Prom(
                total(select(e.PROCESS_MEMORY, **CHOSEN), SERVICE, INSTANCE),
                "{{service}} {{instance}}",
            ),
            unit="bytes",
        ),
        timeseries(
            "Processor",
            "Cores that each process keeps busy.",
            Prom(
                total(rate(e.PROCESS_CPU, **CHOSEN), SERVICE, INSTANCE), "{{service}} {{instance}}"
            ),
            unit="short",
        ),
        timeseries(
            "Log records",
            "Records written, by service and level.",
            Prom(summed(c.LOG_RECORDS, SERVICE, Label("level")), "{{service}} {{level}}"),
            unit="ops",
        ),
        timeseries(
            "Log records lost",
            "Records dropped because a sink was full or failing.",
            Prom(summed(c.LOG_DROPPED, SERVICE, Label("sink")), "{{service}} {{sink}}"),
            unit="ops",
        ),
        timeseries(
            "Spans exported",
            "Spans delivered, dropped because the receiver was slow, away or refusing, and not made"
            " because of the limit of traces a second.",
            Prom(summed(c.TRACE_SPANS, SERVICE, Label("outcome")), "{{service}} {{outcome}}"),
            unit="ops",
        ),
        stat(
            "Restarts",
            "How often each component ended by itself and was started again, in the time shown.",
            Prom(
                total(increase(e.COMPONENT_RESTARTS, RANGE), e.COMPONENT),
                "{{component}}",
                instant=True,
            ),
            unit="short",
            limit=limits((YELLOW, 1), (RED, RESTARTS_TOLERATED + 1)),
            width=8,
        ),
    ),
    leads=Board.HOSTS,
)
