"""Which fault proves which alert. A drill may fire what it declares and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.draining import DRAINING
from tests.drills.faults import Fault, clients, configuration, files, postgres, processes, repeated

BURN = ("MiniTwitBurnRate1h", "MiniTwitBurnRate6h", "MiniTwitBurnRate1d", "MiniTwitBurnRate3d")
TICKETS = ("MiniTwitBurnRate1d", "MiniTwitBurnRate3d")  # may say afterwards what a fault cost
SCALE = 20  # what takes a minute in production takes 3 s, and a range is four scrapes of 1 s
FAST = 360  # six hours take a minute
Step = str | tuple[str, ...]
LOAD = "which limits the load reaches depends on the machine"
# What may be heard when api is slow or fails, and no cause is known.
SLOW = ("MiniTwitErrorRatio", "MiniTwitProbeFailing", "MiniTwitNoPosts", "MiniTwitErrorsLogged",
        "MiniTwitSimulatorStalled", "MiniTwitEventLoopLag", "MiniTwitPoolExhausted",
        "MiniTwitDatabaseErrors", "MiniTwitDatabaseSlow", "MiniTwitHashingQueue",
        "MiniTwitTargetDown", *BURN)  # fmt: skip


def told(*alerts: str) -> tuple[Step, ...]:
    """Each alert ("name service") as a page and its all-clear; several in any order."""
    firing, over = (tuple(f"{status} {a}" for a in alerts) for status in ("FIRING", "RESOLVED"))
    return (*firing, *over) if len(alerts) == 1 else (firing, over)


def as_said(said: tuple[Step, ...], heard: list[str]) -> bool:
    """Return whether the channel got these steps in order, lines in any order."""
    rest = list(heard)
    for step in said:
        lines = [step] if isinstance(step, str) else list(step)
        now, rest = rest[: len(lines)], rest[len(lines) :]
        if sorted(now) != sorted(lines):
            return False
    return not rest


@dataclass(frozen=True, slots=True)
class Drill:
    """A fault and the messages it must bring to the channel: ``said``, in this order.

    Where ``loose`` says why that cannot be exact, the alerts of ``said`` must come, and those of
    ``also`` may. ``late``: the fault is in the way itself, so that the channel gets it when it
    is mended. ``small`` needs root (it mounts a disk), ``logs`` Loki and Promtail.
    """

    name: str
    what: str
    fault: Fault
    said: tuple[Step, ...]
    also: tuple[str, ...] = ()
    loose: str = ""
    scale: float = SCALE
    late: bool = False
    small: bool = False
    logs: bool = False

    @property
    def exact(self) -> bool:
        """Whether the channel must get exactly these messages."""
        return not self.loose

    @property
    def fires(self) -> tuple[str, ...]:
        """The alerts that it proves."""
        lines = [line for s in self.said for line in ([s] if isinstance(s, str) else s)]
        return tuple(dict.fromkeys(line.split()[1] for line in lines))

    @property
    def declared(self) -> set[str]:
        """Every alert that the channel may get."""
        return {*self.fires, *self.also, *TICKETS}


# The page comes first; the tickets on statements say where to look.
LOCKED = (
    "FIRING MiniTwitProbeFailing api",
    ("FIRING MiniTwitDatabaseErrors api", "FIRING MiniTwitDatabaseSlow api"),
    ("RESOLVED MiniTwitProbeFailing api", "RESOLVED MiniTwitDatabaseErrors api",
     "RESOLVED MiniTwitDatabaseSlow api"),
)  # fmt: skip
DRILLS = (
    Drill("api-stopped", "api is stopped", processes.stopped("api"),
          told("MiniTwitTargetDown api")),
    Drill("web-stopped", "web is stopped", processes.stopped("web"),
          told("MiniTwitTargetDown web")),
    Drill("api-then-web", "web is stopped while the windows of an outage of api drain",
          processes.one_after_the_other("api", "web"),
          (*told("MiniTwitTargetDown api"), *told("MiniTwitTargetDown web"))),
    Drill("database-stopped", "PostgreSQL is stopped", processes.stopped("postgres"),
          told("MiniTwitDatabaseDown postgres")),
    Drill("database-hanging", "PostgreSQL hangs: connections are taken, nothing is answered",
          processes.hanging("postgres"), told("MiniTwitDatabaseDown postgres")),
    Drill("locked", "a session locks the table of messages", postgres.locked(), LOCKED),
    Drill("follows-locked", "a session locks the table of follows", postgres.refused_follows,
          LOCKED),
    Drill("posts-refused", "PostgreSQL refuses the messages of every other user",
          postgres.every_other_user_refused,
          ("FIRING MiniTwitErrorRatio api", "FIRING MiniTwitDatabaseErrors api",
           ("RESOLVED MiniTwitErrorRatio api", "RESOLVED MiniTwitDatabaseErrors api"))),
    Drill("pool", "forty readers wait for a table that is locked again and again", postgres.queue,
          told("MiniTwitPoolExhausted api"), loose=LOAD, also=SLOW),
    Drill("errors-logged", "PostgreSQL refuses the messages of one user",
          postgres.one_user_refused,
          told("MiniTwitErrorsLogged api", "MiniTwitDatabaseErrors api"), logs=True),
    Drill("burn", "a lock for a second again and again, windows 360 times as short",
          postgres.slowed, told(*(f"{name} api" for name in BURN)), scale=FAST,
          loose="at this pace windows and pauses meet their floors",
          also=(*SLOW, "MiniTwitBackupTooOld")),
    Drill("read-only", "PostgreSQL takes no more writes", postgres.read_only,
          told("MiniTwitProbeFailing api"), loose=LOAD, also=SLOW),
    Drill("read-only-unprobed", "PostgreSQL takes no more writes, and nobody probes",
          postgres.read_only_unprobed, told("MiniTwitNoPosts api"), loose=LOAD,
          also=(*SLOW, "MiniTwitMonitorDown")),
    Drill("disconnected", "the sessions of api are ended again and again",
          repeated(postgres.disconnect, 0.3), told("MiniTwitDatabaseErrors api"),
          loose=LOAD, also=SLOW),
    Drill("connections", "nine of ten connections are taken", postgres.connections,
          told("MiniTwitConnectionsNearLimit postgres")),
    Drill("no-backup", "the last backup is of the day before yesterday", postgres.no_backup,
          told("MiniTwitBackupTooOld postgres")),
    Drill("crowd", "forty clients register without pause",
          repeated(clients.register_someone, 0.01, 40),
          # The page says that most are refused, the ticket why.
          told("MiniTwitErrorRatio api", "MiniTwitHashingQueue api"),
          loose=LOAD, also=(*BURN, "MiniTwitEventLoopLag")),
    Drill("duplicates", "the same name is registered again and again",
          repeated(clients.register_again, 0.1), told("MiniTwitRegistrationsFailing api")),
    Drill("brute-force", "wrong passwords are tried without pause",
          repeated(clients.try_a_password, 0.1), told("MiniTwitLoginAttack api")),
    Drill("garbage", "requests with broken bodies", repeated(clients.send_garbage, 0.1),
          told("MiniTwitInvalidRequests api"), logs=True),
    Drill("starved", "api does not get the processor", repeated(processes.starve, 0.2),
          told("MiniTwitEventLoopLag api"), loose=LOAD, also=SLOW),
    Drill("memory", "thousands of large requests are begun", clients.crowded,
          told("MiniTwitMemoryHigh api"), loose=LOAD, also=SLOW),
    Drill("disk", "the disk of the log files is full", files.full,
          told("MiniTwitDiskFull node", "MiniTwitTelemetryDropped api",
               "MiniTwitTelemetryDropped web"), small=True),
    Drill("disk-filling", "the disk of the log files fills up slowly", files.filling,
          told("MiniTwitDiskFilling node"), small=True),
    Drill("simulator-stopped", "the simulator is stopped", processes.stopped("load"),
          told("MiniTwitSimulatorStalled api")),
    Drill("certificate", "a certificate has a day left", configuration.certificate,
          told("MiniTwitCertificateExpiring web")),
    Drill("restarts", "Blackbox is killed again and again", processes.killed("blackbox", 1.5),
          told("MiniTwitComponentRestarting blackbox"), loose="each kill is another moment",
          also=("MiniTwitMonitorDown", "MiniTwitProbeFailing")),
    Drill("alertmanager-stopped", "Alertmanager is stopped", processes.stopped("alertmanager"),
          told("MiniTwitAlertmanagerUnreachable alertmanager"), late=True,
          loose="who is back first says which of two alerts is over before it was told",
          also=("MiniTwitMonitorDown",)),
    Drill("relay-stopped", "the relay of the chat is stopped", processes.relay_stopped,
          told("MiniTwitNotificationsFailing alertmanager"), late=True),
    Drill("node-stopped", "the node exporter is stopped", processes.stopped("node"),
          told("MiniTwitMonitorDown node")),
    Drill("loki-stopped", "Loki is stopped", processes.stopped("loki"),
          told("MiniTwitMonitorDown loki"), logs=True, loose="Promtail may give up lines or not",
          also=("MiniTwitPromtailDropping",)),
    Drill("old-lines", "lines of a month ago turn up", files.old_lines,
          told("MiniTwitPromtailDropping promtail"), logs=True),
    Drill("broken-rule", "a rule cannot be evaluated", configuration.broken_rule,
          told("MiniTwitRuleEvaluationFailing prometheus")),
    Drill("bad-configuration", "prometheus.yml is broken", configuration.broken_configuration,
          told("MiniTwitReloadFailed prometheus")),
)  # fmt: skip

# Alerts without a drill, and why.
UNDRILLED = {
    **dict.fromkeys(DRAINING, "nobody is told of it; the exact words of api-stopped prove it"),
    "Watchdog": "it fires always; that it stops arriving is proven with the dead man's switch",
    "MiniTwitSupervisorDown": "the platform would go with it; tests/stack/test_supervision.py does",
    "MiniTwitProxyDown": "nginx runs in containers only; its cases in promtool are all there is",
}
