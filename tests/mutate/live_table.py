"""Which mutants a running platform is asked about, and which checks should notice them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from tests.drills.table import DRILLS, FAST
from tests.mutate.mutant import Mutant
from tests.mutate.operators import OPERATORS

PANELS = "panels"  # every panel shows data; any other check is the drill of that name
BY_ALERT = ("threshold", "comparison")  # asked of the drills of the alerts that they change
# Sites without a drill: no drill measures how long something takes, recordings feed many rules,
# receivers other than the chat are not set.
LEFT_OUT = re.compile(
    r"alerts/(burn|objectives|draining)\.py|time_scale\.(for_duration|interval)|_file: "
    r"|\{\{ receiver\.name \}\}|MONITORING_BLIND"
)
# A mutant's operator, file and line of code → the checks, the most likely first.
ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(left-out|label) \S*accounts\.py .*Registered\(", ("duplicates",)),
    (r"(left-out|label) \S*accounts\.py .*LoggedIn\(\"(unknown|wrong|thr)", ("brute-force",)),
    (r"(left-out|label) \S*pool\.py .*(DB_ERRORS|_durations)", ("locked",)),
    (r"(left-out|label) \S*pool\.py .*POOL_WAITING", ("pool",)),
    (r"left-out \S*events\.py ", ("duplicates",)),
    (r"left-out \S*middleware\.py .*requests\.inc", ("posts-refused",)),
    (r"left-out \S*logs\.py .*LOG_RECORDS", (PANELS,)),
    (r"(left-out|label) \S*logs\.py .*LOG_DROPPED", ("disk",)),
    (r"left-out .*BACKUP_TIME", ("no-backup",)),
    (r"left-out .*EVENT_LOOP_LAG", ("starved",)),
    (r"left-out .*LATEST_TIME", ("simulator-stopped",)),
    (r"left-out .*\.(set|watch|touch|observe)\(", (PANELS,)),
    (r"(threshold|comparison) alerts/logs\.py ", ("errors-logged", "garbage")),
    (r"(route|receiver) .*(ErrorsLogged|SimulatorStalled)", ("simulator-stopped",)),
    (r"(route|receiver) ", ("api-stopped", "brute-force")),
    (r"inhibition .*(DatabaseDown|DATABASE)", ("database-stopped",)),
    (r"inhibition .*TargetDown\",service=\"api", ("api-stopped",)),
    (r"inhibition .*TargetDown\",service=\"web", ("web-stopped",)),
    (r"inhibition .*\('alertname=\"MiniTwitErrorRatio", ("posts-refused",)),
    (r"inhibition .*(ProbeFailing|WINDOWED)", ("locked", "api-stopped")),
    (r"inhibition ", ("api-stopped", "database-stopped")),
)


def sites(root: Path) -> Iterator[Mutant]:
    """Return the mutants that a running platform may notice."""
    for name in ("left-out", "label", *BY_ALERT, "receiver", "route", "inhibition"):
        for mutant in OPERATORS[name].mutants(root):
            where = described(root, mutant)
            if not LEFT_OUT.search(where) and (name in BY_ALERT or row(where)):
                yield mutant


def checks(root: Path, mutant: Mutant, alerts: Collection[str]) -> tuple[str, ...]:
    """Return the checks of a mutant that changes these alerts.

    There are none if no drill fires one of them.
    """
    if found := row(described(root, mutant)):
        return found
    fitting = [d for d in DRILLS if set(d.fires) & set(alerts) and d.scale != FAST]
    return tuple(drill.name for drill in sorted(fitting, key=lambda d: not d.exact)[:2])


def row(where: str) -> tuple[str, ...]:
    """Return the checks of the first row that fits; none if none does."""
    return next((names for pattern, names in ROWS if re.match(pattern, where)), ())


def described(root: Path, mutant: Mutant) -> str:
    """Operator, file and the line of code: what the table is matched with."""
    line = (root / mutant.file).read_text().splitlines()[mutant.line - 1]
    return f"{mutant.operator} {mutant.file} {line.strip()}"
