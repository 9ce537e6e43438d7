"""Which fault proves which alert. A drill may fire what it declares and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.draining import DRAINING
from tests.drills.faults import Fault, clients, configuration, files, postgres, processes, repeated

BURN = ("MiniTwitBurnRate1h", "MiniTwitBurnRate6h", "MiniTwitBurnRate1d", "MiniTwitBurnRate3d")
# What users and the simulator feel when api is slow or fails.
FELT = ("MiniTwitErrorRatio", "MiniTwitProbeFailing", "MiniTwitNoPosts",
        "MiniTwitErrorsLogged", "MiniTwitSimulatorStalled", "MiniTwitInvalidRequests",
        "MiniTwitRegistrationsFailing",
        "MiniTwitEventLoopLag")  # fmt: skip
DATABASE = (*FELT, "MiniTwitPoolExhausted", "MiniTwitDatabaseErrors", "MiniTwitDatabaseSlow",
            "MiniTwitHashingQueue", "MiniTwitTargetDown")  # fmt: skip
SCALE = 20  # what takes a minute in production takes 3 s, and a range is four scrapes of 1 s
FAST = 360  # six hours take a minute


@dataclass(frozen=True, slots=True)
class Drill:
    """``fault`` must bring ``fires`` to the room; ``also`` may fire with them.

    ``late``: the fault is in the way itself, so that the room hears of it when it is mended.
    ``said`` is all that the room hears, in this order. ``small`` needs root (it mounts a disk),
    ``logs`` Loki and Promtail.
    """

    name: str
    what: str
    fault: Fault
    fires: tuple[str, ...]
    also: tuple[str, ...] = ()
    scale: float = SCALE
    late: bool = False
    small: bool = False
    logs: bool = False
    said: tuple[str, ...] = ()

    @property
    def declared(self) -> set[str]:
        """All that may fire. Burn rates look back for hours: they may speak of earlier drills."""
        return {*self.fires, *self.also, *BURN}


DRILLS = (
    Drill("api-stopped", "api is stopped", processes.stopped("api"),
          ("MiniTwitTargetDown",), (*FELT,),
          said=("FIRING MiniTwitTargetDown", "RESOLVED MiniTwitTargetDown")),
    Drill("database-stopped", "PostgreSQL is stopped", processes.stopped("postgres"),
          ("MiniTwitDatabaseDown",), DATABASE),
    Drill("locked", "a session locks the table of messages", postgres.locked,
          ("MiniTwitProbeFailing", "MiniTwitErrorRatio", "MiniTwitDatabaseErrors",
           "MiniTwitDatabaseSlow"), DATABASE),
    Drill("pool", "forty readers wait for a table that is locked again and again", postgres.queue,
          ("MiniTwitPoolExhausted",), DATABASE),
    Drill("errors-logged", "a session locks the table of messages; the lines tell of it",
          postgres.locked, ("MiniTwitErrorsLogged",), DATABASE, logs=True),
    Drill("burn", "a lock for a second again and again, windows 360 times as short",
          postgres.slowed, BURN, (*DATABASE, "MiniTwitBackupTooOld"), scale=FAST),
    Drill("read-only", "PostgreSQL takes no more writes", postgres.read_only,
          ("MiniTwitNoPosts",), DATABASE),
    Drill("disconnected", "the sessions of api are ended again and again",
          repeated(postgres.disconnect, 0.3), ("MiniTwitDatabaseErrors",), DATABASE),
    Drill("connections", "nine of ten connections are taken", postgres.connections,
          ("MiniTwitConnectionsNearLimit",)),
    Drill("no-backup", "the last backup is of the day before yesterday", postgres.no_backup,
          ("MiniTwitBackupTooOld",)),
    Drill("crowd", "forty clients register without pause",
          repeated(clients.register_someone, 0.01, 40),
          ("MiniTwitHashingQueue",), (*BURN, "MiniTwitEventLoopLag")),
    Drill("duplicates", "the same name is registered again and again",
          repeated(clients.register_again, 0.1),
          ("MiniTwitRegistrationsFailing",), ("MiniTwitInvalidRequests",)),
    Drill("brute-force", "wrong passwords are tried without pause",
          repeated(clients.try_a_password, 0.1), ("MiniTwitLoginAttack",),
          ("MiniTwitInvalidRequests",)),
    Drill("garbage", "requests with broken bodies", repeated(clients.send_garbage, 0.1),
          ("MiniTwitInvalidRequests",), ("MiniTwitRegistrationsFailing",), logs=True),
    Drill("starved", "api does not get the processor",
          repeated(processes.starve, 0.2), ("MiniTwitEventLoopLag",), DATABASE),
    Drill("memory", "thousands of large requests are begun", clients.crowded,
          ("MiniTwitMemoryHigh",), DATABASE),
    Drill("disk", "the disk of the log files is full", files.full,
          ("MiniTwitDiskFull", "MiniTwitTelemetryDropped"), small=True),
    Drill("disk-filling", "the disk of the log files fills up slowly", files.filling,
          ("MiniTwitDiskFilling",), small=True),
    Drill("simulator-stopped", "the simulator is stopped", processes.stopped("load"),
          ("MiniTwitSimulatorStalled",), FELT),
    Drill("certificate", "a certificate has a day left", configuration.certificate,
          ("MiniTwitCertificateExpiring",)),
    Drill("restarts", "Blackbox is killed again and again", processes.killed("blackbox", 1.5),
          ("MiniTwitComponentRestarting",), ("MiniTwitMonitorDown", "MiniTwitProbeFailing")),
    Drill("alertmanager-stopped", "Alertmanager is stopped", processes.stopped("alertmanager"),
          ("MiniTwitAlertmanagerUnreachable",), ("MiniTwitMonitorDown",), late=True),
    Drill("relay-stopped", "the way into the room is stopped", processes.relay_stopped,
          ("MiniTwitNotificationsFailing",), late=True),
    Drill("node-stopped", "the node exporter is stopped", processes.stopped("node"),
          ("MiniTwitMonitorDown",)),
    Drill("loki-stopped", "Loki is stopped", processes.stopped("loki"),
          ("MiniTwitMonitorDown",), ("MiniTwitPromtailDropping",), logs=True),
    Drill("old-lines", "lines of a month ago turn up", files.old_lines,
          ("MiniTwitPromtailDropping",), logs=True),
    Drill("broken-rule", "a rule cannot be evaluated", configuration.broken_rule,
          ("MiniTwitRuleEvaluationFailing",)),
    Drill("bad-configuration", "prometheus.yml is broken", configuration.broken_configuration,
          ("MiniTwitReloadFailed",)),
)  # fmt: skip

# Alerts without a drill, and why.
UNDRILLED = {
    **dict.fromkeys(DRAINING, "nobody is told of it; the exact words of api-stopped prove it"),
    "Watchdog": "it fires always; that it stops arriving is proven with the dead man's switch",
    "MiniTwitProxyDown": "nginx runs in containers only; its cases in promtool are all there is",
}
