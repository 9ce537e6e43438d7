"""Utilisation, saturation and errors (USE) of the hosts, and of each process."""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.boards import common
from dashboards.layout import Row
from dashboards.panels import table, timeseries
from dashboards.queries import CHOSEN, Prom
from dashboards.tables import Column
from observability import exporters as e
from observability.catalog import INSTANCE, Label, Metric
from observability.dashboard_uids import Board
from observability.promql.builders import aggregate, differs, matches, rate, select, total
from observability.promql.expr import Expr

OURS = matches("api|web")
MODE, MOUNT, DEVICE = Label("mode"), Label("mountpoint"), Label("device")

CORES = Prom(
    aggregate("count", select(e.CPU, mode="idle"), INSTANCE), "{{instance}} cores, the limit"
)


def _disk(metric: Metric) -> Expr:
    return aggregate("max", select(metric), INSTANCE, MOUNT)


HOST_ROW = Row(
    "Hosts",
    (
        timeseries(
            "Processor",
            "Cores kept busy, by what with; the dashed line is how many there are.",
            Prom(total(rate(e.CPU, mode=differs("idle")), INSTANCE, MODE), "{{instance}} {{mode}}"),
            CORES,
            unit="short",
            stacked=True,
            width=12,
        ),
        timeseries(
            "Load",
            "Tasks that run or would like to: more than there are cores means waiting.",
            Prom(aggregate("max", select(e.LOAD), INSTANCE), "{{instance}}"),
            CORES,
            unit="short",
            width=12,
        ),
        timeseries(
            "Pressure",
            "Share of the time in which something waited for a core or for a disk.",
            Prom(total(rate(e.PRESSURE_CPU), INSTANCE), "{{instance}} core"),
            Prom(total(rate(e.PRESSURE_DISK), INSTANCE), "{{instance}} disk"),
            unit="percentunit",
            width=6,
        ),
        timeseries(
            "Memory usage",
            "Share of the memory that nothing else can have.",
            Prom(
                (total(select(e.MEMORY), INSTANCE) - total(select(e.MEMORY_FREE), INSTANCE))
                / total(select(e.MEMORY), INSTANCE),
                "{{instance}}",
            ),
            unit="percentunit",
            maximum=1,
            width=6,
        ),
        table(
            "Disks",
            "Each file system, the fullest first: what is left, and the share that is taken.",
            Prom(_disk(e.DISK_FREE), "", instant=True, table=True),
            Prom(
                (_disk(e.DISK) - _disk(e.DISK_FREE)) / _disk(e.DISK), "", instant=True, table=True
            ),
            columns=(
                Column("instance", "Host", width=120),
                Column("mountpoint", "File system"),
                Column("Value #A", "Free", unit="bytes", width=100),
                Column("Value #B", "Usage", unit="percentunit", width=90),
            ),
            sort=(("Usage", True),),
        ),
        timeseries(
            "Disk utilisation",
            "Share of the time in which a disk had something to do.",
            Prom(total(rate(e.DISK_BUSY), INSTANCE, DEVICE), "{{instance}} {{device}}"),
            unit="percentunit",
        ),
        timeseries(
            "Network in",
            "Bytes received a second.",
            Prom(total(rate(e.RECEIVED), INSTANCE, DEVICE), "{{instance}} {{device}}"),
            unit="binBps",
        ),
        timeseries(
            "Network out",
            "Bytes sent a second.",
            Prom(total(rate(e.SENT), INSTANCE, DEVICE), "{{instance}} {{device}}"),
            unit="binBps",
        ),
    ),
)
PROCESS_ROW = Row(
    "Processes of MiniTwit and of its monitoring",
    (
        common.by_replica(
            "Memory",
            "Memory that each process holds.",
            total(select(e.PROCESS_MEMORY, **CHOSEN), *common.OF_REPLICA),
            unit="bytes",
            width=12,
            height=11,
        ),
        common.by_replica(
            "CPU usage by process",
            "Cores that each process keeps busy: a Python process cannot use more than one.",
            total(rate(e.PROCESS_CPU, **CHOSEN), *common.OF_REPLICA),
            unit="short",
            width=12,
            height=11,
        ),
        common.by_replica(
            "Open files",
            "File descriptors of each of our processes: connections, logs.",
            total(select(e.FILES, job=OURS, **CHOSEN), *common.OF_REPLICA),
            unit="short",
        ),
        common.event_loop_lag(8),
        common.by_replica(
            "GC collections",
            "Full collections a second: each one stops the process for a moment.",
            total(
                rate(e.COLLECTIONS, generation="2", job=OURS, **CHOSEN),
                *common.OF_REPLICA,
            ),
            unit="ops",
        ),
    ),
)
HOSTS = Dashboard(
    Board.HOSTS,
    "MiniTwit hosts and runtime",
    "Is there enough processor, memory, disk and network for everything?",
    "dashboards/boards/hosts.py",
    (HOST_ROW, PROCESS_ROW),
)
