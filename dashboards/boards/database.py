"""PostgreSQL from both sides: the services' statements, and the server's own statistics."""

from __future__ import annotations

from alerts.objectives import BACKUP_SECONDS, QUERY_LIMIT
from dashboards.board import Dashboard
from dashboards.boards import common
from dashboards.colours import RED
from dashboards.layout import Row
from dashboards.panels import limits, stat, table, timeseries
from dashboards.queries import Prom, quantile_over_range, scoped_gauge, scoped_rate, share
from dashboards.tables import Column
from observability import catalog as c
from observability import exporters as e
from observability.catalog import INSTANCE, QUERY, Label
from observability.dashboard_uids import Board
from observability.promql.builders import (
    NOW,
    RANGE,
    aggregate,
    increase,
    matches,
    rate,
    select,
    total,
)
from observability.promql.expr import Expr

KIND, STATE, MODE, DATABASE = Label("kind"), Label("state"), Label("mode"), Label("datname")
OURS = {"datname": matches("minitwit|postgres")}
HITS = total(rate(e.PG_HITS, datname="minitwit"))


def _calls() -> Expr:
    return total(increase(c.DB_QUERY_DURATION, RANGE, "count"), QUERY)


def _spent() -> Expr:
    return total(increase(c.DB_QUERY_DURATION, RANGE, "sum"), QUERY)


STATEMENTS_ROW = Row(
    "Our statements",
    (
        timeseries(
            "Statements",
            "Statements a second, by the name they have in the code.",
            Prom(total(rate(c.DB_QUERY_DURATION, "$__rate_interval", "count"), QUERY), "{{query}}"),
            unit="ops",
            width=12,
            height=12,
        ),
        table(
            "Slowest statements",
            "Statements by name in the time shown: how often and how long.",
            Prom(_calls() > 0, "", instant=True, table=True),
            Prom(_spent() / (_calls() > 0), "", instant=True, table=True),
            Prom(
                quantile_over_range(0.95, c.DB_QUERY_DURATION, QUERY), "", instant=True, table=True
            ),
            columns=(
                Column("query", "Statement"),
                Column("Value #A", "Calls", unit="locale", decimals=0, width=90),
                Column("Value #B", "Mean", unit="s", width=90),
                Column(
                    "Value #C",
                    "95 % within",
                    unit="s",
                    width=130,
                    thresholds=tuple(limits((RED, QUERY_LIMIT))),
                ),
            ),
            sort=(("95 % within", True),),
            width=12,
            height=12,
        ),
        timeseries(
            "Failed statements",
            "Statements that failed, by kind.",
            Prom(scoped_rate(c.DB_ERRORS, KIND), "{{kind}}"),
            unit="ops",
            width=6,
        ),
        timeseries(
            "Pool",
            "Connections of all replicas, and the most that they may hold.",
            Prom(scoped_gauge(c.DB_POOL_CONNECTIONS, STATE), "{{state}}"),
            Prom(scoped_gauge(c.DB_POOL_LIMIT), "limit"),
            unit="short",
            width=6,
        ),
        timeseries(
            "Waiting for a connection",
            "Requests in the queue of each replica's pool: above zero for long, it is too small.",
            Prom(scoped_gauge(c.DB_POOL_WAITING, INSTANCE), "{{instance}}"),
            unit="short",
            width=6,
        ),
        timeseries(
            "Rows",
            "Rows in each table, as the statistics estimate them.",
            Prom(aggregate("max", select(c.ROWS), Label("table")), "{{table}}"),
            unit="short",
            width=6,
        ),
    ),
)
SERVER_ROW = Row(
    "The server",
    (
        common.database_reachable("Reachable", 4),
        stat(
            "Last backup",
            "How old the last good backup is: one is taken every day.",
            Prom(NOW - aggregate("max", select(c.BACKUP_TIME)), "age", instant=True),
            unit="s",
            thresholds=limits((RED, BACKUP_SECONDS)),
            width=4,
        ),
        stat(
            "Backup size",
            "Bytes of the last good backup, compressed.",
            Prom(aggregate("max", select(c.BACKUP_SIZE)), "bytes", instant=True),
            unit="bytes",
            width=4,
        ),
        stat(
            "Size",
            "Bytes on disk, by database.",
            Prom(
                aggregate("max", select(e.PG_SIZE, **OURS), DATABASE), "{{datname}}", instant=True
            ),
            unit="bytes",
            width=6,
            no_value="unknown",
        ),
        stat(
            "Deadlocks",
            "Deadlocks since the statistics began: each one failed a statement.",
            Prom(
                aggregate("max", select(e.PG_DEADLOCKS, **OURS), DATABASE),
                "{{datname}}",
                instant=True,
            ),
            unit="short",
            thresholds=limits((RED, 1)),
            width=6,
            no_value="unknown",
        ),
        timeseries(
            "Connections",
            "Connections that the server holds, by state.",
            Prom(total(select(e.PG_CONNECTIONS, **OURS), STATE), "{{state}}"),
            unit="short",
            width=12,
        ),
        timeseries(
            "Locks",
            "Locks held or awaited, by mode.",
            Prom(total(select(e.PG_LOCKS, **OURS), MODE), "{{mode}}"),
            unit="short",
            width=12,
        ),
        timeseries(
            "Cache hit ratio",
            "Share of the blocks that did not have to be read from disk.",
            Prom(
                HITS / (HITS + total(rate(e.PG_READS, datname="minitwit"))),
                "minitwit",
            ),
            unit="percentunit",
            maximum=1,
            width=6,
        ),
        timeseries(
            "Transactions",
            "Transactions a second.",
            Prom(total(rate(e.PG_COMMITS, **OURS), DATABASE), "{{datname}}"),
            unit="ops",
            width=6,
        ),
        timeseries(
            "Rollbacks",
            "Share of the transactions that were rolled back.",
            Prom(
                share(
                    total(rate(e.PG_ROLLBACKS, datname="minitwit")),
                    total(rate(e.PG_COMMITS, datname="minitwit")),
                ),
                "minitwit",
            ),
            unit="percentunit",
            width=6,
        ),
        timeseries(
            "Temporary files",
            "Bytes that sorts and joins wrote to temporary files: they lacked memory.",
            Prom(total(rate(e.PG_TEMPORARY, **OURS), DATABASE), "{{datname}}"),
            unit="binBps",
            width=6,
        ),
    ),
)
DATABASE_BOARD = Dashboard(
    Board.DATABASE,
    "MiniTwit database",
    "Is the database what holds requests up?",
    "dashboards/boards/database.py",
    (STATEMENTS_ROW, SERVER_ROW),
)
