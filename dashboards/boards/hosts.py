"""Utilisation, saturation and errors (USE) of the hosts, and of each process."""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.layout import Row
from dashboards.panels import timeseries
from dashboards.queries import CHOSEN, Prom, within
from observability import catalog as c
from observability import exporters as e
from observability import external as x
from observability.catalog import INSTANCE, SERVICE, Label
from observability.conventions import Board
from observability.promql.builders import aggregate, differs, matches, rate, select, total

MODE, MOUNT, DEVICE = Label("mode"), Label("mountpoint"), Label("device")
OF_PROCESS = (SERVICE, INSTANCE)

CORES = Prom(
    aggregate("count", select(x.CPU, mode="idle"), INSTANCE), "{{instance}} cores, the limit"
)

HOST_ROW = Row(
    "Hosts",
    (
        timeseries(
            "Processor",
            "Cores kept busy, by what with; the dashed line is how many there are.",
            Prom(total(rate(x.CPU, mode=differs("idle")), INSTANCE, MODE), "{{instance}} {{mode}}"),
            CORES,
            unit="short",
            stacked=True,
            width=12,
        ),
        timeseries(
            "Load",
            "Tasks that run or would like to: more than there are cores means waiting.",
            Prom(aggregate("max", select(x.LOAD), INSTANCE), "{{instance}}"),
            CORES,
            unit="short",
            width=12,
        ),
        timeseries(
            "Pressure",
            "Share of the time in which something waited for a core or for a disk.",
            Prom(total(rate(x.PRESSURE_CPU), INSTANCE), "{{instance}} core"),
            Prom(total(rate(x.PRESSURE_DISK), INSTANCE), "{{instance}} disk"),
            unit="percentunit",
        ),
        timeseries(
            "Memory usage",
            "Share of the memory that nothing else can have.",
            Prom(
                (total(select(x.MEMORY), INSTANCE) - total(select(x.MEMORY_FREE), INSTANCE))
                / total(select(x.MEMORY), INSTANCE),
                "{{instance}}",
            ),
            unit="percentunit",
            top=1,
        ),
        timeseries(
            "Free disk space",
            "Bytes left, by file system.",
            Prom(
                aggregate("min", select(x.DISK_FREE), INSTANCE, MOUNT),
                "{{instance}} {{mountpoint}}",
            ),
            unit="bytes",
        ),
        timeseries(
            "Disk usage",
            "Share of each file system that is taken.",
            Prom(
                (
                    aggregate("max", select(x.DISK), INSTANCE, MOUNT)
                    - aggregate("max", select(x.DISK_FREE), INSTANCE, MOUNT)
                )
                / aggregate("max", select(x.DISK), INSTANCE, MOUNT),
                "{{instance}} {{mountpoint}}",
            ),
            unit="percentunit",
            top=1,
            width=6,
        ),
        timeseries(
            "Disk utilisation",
            "Share of the time in which a disk had something to do.",
            Prom(total(rate(x.DISK_BUSY), INSTANCE, DEVICE), "{{instance}} {{device}}"),
            unit="percentunit",
            width=6,
        ),
        timeseries(
            "Network in",
            "Bytes received a second.",
            Prom(total(rate(x.RECEIVED), INSTANCE, DEVICE), "{{instance}} {{device}}"),
            unit="binBps",
            width=6,
        ),
        timeseries(
            "Network out",
            "Bytes sent a second.",
            Prom(total(rate(x.SENT), INSTANCE, DEVICE), "{{instance}} {{device}}"),
            unit="binBps",
            width=6,
        ),
    ),
)
PROCESS_ROW = Row(
    "Processes of MiniTwit",
    (
        timeseries(
            "Memory",
            "Memory that each process holds.",
            Prom(
                total(select(e.PROCESS_MEMORY, **CHOSEN), *OF_PROCESS), "{{service}} {{instance}}"
            ),
            unit="bytes",
            width=12,
        ),
        timeseries(
            "CPU usage by process",
            "Cores that each process keeps busy: a Python process cannot use more than one.",
            Prom(total(rate(e.PROCESS_CPU, **CHOSEN), *OF_PROCESS), "{{service}} {{instance}}"),
            unit="short",
            width=12,
        ),
        timeseries(
            "Open files",
            "File descriptors of each process: connections, logs.",
            Prom(total(select(x.FILES, **CHOSEN), *OF_PROCESS), "{{service}} {{instance}}"),
            unit="short",
        ),
        timeseries(
            "Event-loop lag",
            "99 % of timers came no later than this: what every request waits at least.",
            Prom(within(0.99, c.EVENT_LOOP_LAG, *OF_PROCESS, **CHOSEN), "{{service}} {{instance}}"),
            unit="s",
        ),
        timeseries(
            "GC collections",
            "Full collections a second: each one stops the process for a moment.",
            Prom(
                total(
                    rate(x.COLLECTIONS, generation="2", job=matches("api|web"), **CHOSEN),
                    *OF_PROCESS,
                ),
                "{{service}} {{instance}}",
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
