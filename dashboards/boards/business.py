"""What users do, and the outcomes."""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.layout import Row
from dashboards.panels import stat, timeseries
from dashboards.queries import Prom, scoped_gauge, scoped_rate
from observability import catalog as c
from observability.catalog import INSTANCE, Label, Metric
from observability.dashboard_uids import Board
from observability.promql.builders import RANGE, aggregate, differs, increase, rate, select, total

ACTION, OUTCOME = Label("action"), Label("outcome")
# title, what is attempted, metric, how success is called, labels
ATTEMPTS: tuple[tuple[str, str, Metric, str, tuple[Label, ...]], ...] = (
    ("Registrations", "Attempts to register", c.REGISTRATIONS, "ok", (OUTCOME,)),
    ("Logins", "Attempts to log in", c.LOGINS, "ok", (OUTCOME,)),
    ("Messages", "Attempts to post", c.MESSAGES, "ok", (OUTCOME,)),
    ("Follows", "Attempts to follow or unfollow", c.FOLLOWS, "changed", (ACTION, OUTCOME)),
)

# How the successes of an attempt are called.
DONE = {
    "Registrations": "New users",
    "Logins": "New sessions",
    "Messages": "New messages",
    "Follows": "New follows",
}

NOW_ROW = Row(
    "Now",
    (
        stat(
            "Active users",
            "Users who posted or logged in within the last five minutes.",
            Prom(aggregate("max", select(c.ACTIVE_USERS)), "active", instant=True),
            unit="locale",
            decimals=0,
            width=4,
        ),
        *(
            stat(
                DONE[title],
                f"{what} that succeeded within the time shown.",
                Prom(total(increase(metric, RANGE, outcome=good)), title.lower(), instant=True),
                unit="locale",
                decimals=0,
                width=3 if title == "Registrations" else 4,
            )
            for title, what, metric, good, _ in ATTEMPTS
        ),
        stat(
            "Stored",
            "Rows in each table, as the database's statistics estimate them.",
            Prom(
                aggregate("max", select(c.ROWS), Label("table")),
                "{{table}}",
                instant=True,
            ),
            unit="locale",
            decimals=0,
            width=5,
        ),
    ),
)
OUTCOMES_ROW = Row(
    "Attempts by outcome",
    tuple(
        timeseries(
            title,
            f"{what}, by outcome.",
            Prom(scoped_rate(metric, *by), " ".join(f"{{{{{label.name}}}}}" for label in by)),
            unit="ops",
            width=12,
        )
        for title, what, metric, _, by in ATTEMPTS
    ),
)
TROUBLE_ROW = Row(
    "Symptoms",
    (
        timeseries(
            "Failed log-ins",
            "Failed log-ins a second, by reason: many mean that someone guesses passwords.",
            Prom(total(rate(c.LOGINS, outcome=differs("ok")), OUTCOME), "{{outcome}}"),
            unit="ops",
        ),
        timeseries(
            "Active users over time",
            "Users who posted or logged in within five minutes before each moment.",
            Prom(aggregate("max", select(c.ACTIVE_USERS)), "active"),
            unit="short",
        ),
        timeseries(
            "Password hashing queue",
            "Passwords being hashed or waiting for it: registrations and log-ins wait for this.",
            Prom(scoped_gauge(c.HASHES_WAITING, INSTANCE), "{{instance}}"),
            unit="short",
        ),
    ),
)
BUSINESS = Dashboard(
    Board.BUSINESS,
    "MiniTwit business",
    "What are users doing, and does it work for them?",
    "dashboards/boards/business.py",
    (NOW_ROW, OUTCOMES_ROW, TROUBLE_ROW),
)
