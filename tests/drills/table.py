"""Which fault proves which alert. A drill may fire what it declares and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from tests.drills import faults
from tests.drills.faults import Fault

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
    ``small`` needs root (it mounts a disk), ``logs`` Loki and Promtail.
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

    @property
    def declared(self) -> set[str]:
        """All that may fire. Burn rates look back for hours: they may speak of earlier drills."""
        return {*self.fires, *self.also, *BURN}


DRILLS = (
    Drill("api-stopped", "api is stopped", faults.stopped("api"),
          ("MiniTwitTargetDown",), (*FELT,)),
    Drill("database-stopped", "PostgreSQL is stopped", faults.stopped("postgres"),
          ("MiniTwitDatabaseDown",), DATABASE),
    Drill("locked", "a session locks the table of messages", faults.locked,
          ("MiniTwitProbeFailing", "MiniTwitErrorRatio", "MiniTwitDatabaseErrors",
           "MiniTwitDatabaseSlow"), DATABASE),
    Drill("pool", "forty readers wait for a table that is locked again and again", faults.queue,
          ("MiniTwitPoolExhausted",), DATABASE),
    Drill("errors-logged", "a session locks the table of messages; the lines tell of it",
          faults.locked, ("MiniTwitErrorsLogged",), DATABASE, logs=True),
    Drill("burn", "a lock for a second again and again, windows 360 times as short", faults.slowed,
          BURN, (*DATABASE, "MiniTwitBackupTooOld"), scale=FAST),
    Drill("read-only", "PostgreSQL takes no more writes", faults.read_only,
          ("MiniTwitNoPosts",), DATABASE),
    Drill("disconnected", "the sessions of api are ended again and again",
          faults.repeated(faults.disconnect, 0.3), ("MiniTwitDatabaseErrors",), DATABASE),
    Drill("connections", "nine of ten connections are taken", faults.connections,
          ("MiniTwitConnectionsNearLimit",)),
    Drill("no-backup", "the last backup is of the day before yesterday", faults.no_backup,
          ("MiniTwitBackupTooOld",)),
    Drill("crowd", "forty clients register without pause",
          faults.repeated(faults.register_someone, 0.01, 40),
          ("MiniTwitHashingQueue",), (*BURN, "MiniTwitEventLoopLag")),
    Drill("duplicates", "the same name is registered again and again",
          faults.repeated(faults.register_again, 0.1),
          ("MiniTwitRegistrationsFailing",), ("MiniTwitInvalidRequests",)),
    Drill("brute-force", "wrong passwords are tried without pause",
          faults.repeated(faults.try_a_password, 0.1), ("MiniTwitLoginAttack",),
          ("MiniTwitInvalidRequests",)),
    Drill("garbage", "requests with broken bodies", faults.repeated(faults.send_garbage, 0.1),
          ("MiniTwitInvalidRequests",), ("MiniTwitRegistrationsFailing",), logs=True),
    Drill("starved", "api does not get the processor",
          faults.repeated(faults.starve, 0.2), ("MiniTwitEventLoopLag",), DATABASE),
    Drill("memory", "thousands of large requests are begun", faults.crowded,
          ("MiniTwitMemoryHigh",), DATABASE),
    Drill("disk", "the disk of the log files fills up", faults.filling,
          ("MiniTwitDiskFilling", "MiniTwitTelemetryDropped"), small=True),
    Drill("simulator-stopped", "the simulator is stopped", faults.stopped("load"),
          ("MiniTwitSimulatorStalled",), FELT),
    Drill("certificate", "a certificate has a day left", faults.certificate,
          ("MiniTwitCertificateExpiring",)),
    Drill("restarts", "Blackbox is killed again and again", faults.killed("blackbox", 1.5),
          ("MiniTwitComponentRestarting",), ("MiniTwitMonitorDown", "MiniTwitProbeFailing")),
    Drill("alertmanager-stopped", "Alertmanager is stopped", faults.stopped("alertmanager"),
          ("MiniTwitAlertmanagerUnreachable",), ("MiniTwitMonitorDown",), late=True),
    Drill("relay-stopped", "the way into the room is stopped", faults.relay_stopped,
          ("MiniTwitNotificationsFailing",), late=True),
    Drill("node-stopped", "the node exporter is stopped", faults.stopped("node"),
          ("MiniTwitMonitorDown",)),
    Drill("loki-stopped", "Loki is stopped", faults.stopped("loki"),
          ("MiniTwitMonitorDown",), ("MiniTwitPromtailDropping",), logs=True),
    Drill("old-lines", "lines of a month ago turn up", faults.old_lines,
          ("MiniTwitPromtailDropping",), logs=True),
    Drill("broken-rule", "a rule cannot be evaluated", faults.broken_rule,
          ("MiniTwitRuleEvaluationFailing",)),
    Drill("bad-configuration", "prometheus.yml is broken", faults.broken_configuration,
          ("MiniTwitReloadFailed",)),
)  # fmt: skip

# Alerts without a drill, and why.
UNDRILLED = {
    "Watchdog": "it fires always; that it stops arriving is proven with the dead man's switch",
    "MiniTwitProxyDown": "nginx runs in containers only; its cases in promtool are all there is",
}
