"""``make tables``: the tables of the documentation, written from the result files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tests import figures, results
from tests.alerts import inhibited
from tests.bench import scaling, watching_report
from tests.bench.__main__ import table_of
from tests.bench.peers import picture
from tests.drills.record import markdown as drills
from tests.mutate.report import markdown as mutants
from tests.parts import ROOT

PAGE = ROOT / "docs/benchmarks.md"
SECTIONS = ("mix", "plans", "start")  # of results/bench.json, each a table in its own section
ALERTING = ROOT / "docs/alerting.md"
# Tables that stand on a page of their own.
ELSEWHERE = {
    "mutate": ROOT / "docs/mutation-testing.md",
    "figures": ROOT / "README.md",
    "inhibitions": ALERTING,
    "draining": ALERTING,
}


def soak(result: dict[str, Any]) -> str:
    """What was done to the platform, what came of it."""
    faults = sum(result["faults"].values())
    within = sum(result["errors_within_faults"].values())
    outside = sum(result["errors_outside"].values())
    growing = ", ".join(result["growing"]) or "nothing"
    return (
        "| minutes | actions | faults | failed within a fault's window | failed outside "
        "| messages acknowledged and lost | growing |\n"
        + "| --- " * 7
        + "|\n"
        + f"| {result['minutes']:g} | {result['actions']:,} | {faults} | {within:,} | {outside} "
        f"| {result['messages_lost']} of {result['messages_acknowledged']:,} | {growing} |\n"
    )


def production(result: dict[str, Any]) -> str:
    """Return each fault at production's pace, with its limit."""
    lines = ["| alert | fault | seconds | at most | commit |", "| --- " * 5 + "|"]
    for row in result["rows"]:
        seconds = f"{row['seconds']:.0f} s" if row["seconds"] else f"failed: {row['failed']}"
        cells = (row["alert"], row["fault"], seconds, f"{row['limit']:.0f} s", row["commit"][:7])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


# deploy's way → its name in the table, the command that repeats it
DEPLOYS = {
    "rolling, engine": ("Swarm, rolling", "`python -m tests.deploy.bench_engine rolling`"),
    "bluegreen, engine": ("compose, blue/green", "`python -m tests.deploy.bench_engine bluegreen`"),
    "bluegreen": ("processes, blue/green", "`make bench-deploy`"),
}
# what happens → and in the table's words, in this order
OUTCOMES = {
    "no deploy, before": "no deploy, before",
    "": "a new version takes over",
    "the new version cannot write": "a new version cannot write: stopped by the gate",
    "the new version never gets ready": "a new version never gets ready: never serves",
    "the new version never gets healthy": "a new version never gets healthy: back by itself",
    "the new version passes the gate and refuses posts": (
        "a new version passes every gate and refuses posts: back by itself"
    ),
    "no deploy, after": "no deploy, after",
}


def deploys(result: dict[str, Any]) -> str:
    """Return each way to deploy with its cases; its command is in the first row."""
    table = (
        "| what | requests | failed | slower than 0.3 s | repeat with |\n" + "| --- " * 5 + "|\n"
    )
    for way, (name, command) in DEPLOYS.items():
        # "rolling", "rolling, the new version …", "no deploy, …": without the way's own name.
        rows = {
            row if row.startswith("no ") else row.partition(", ")[2]: found
            for row, found in result[way]["rows"].items()
        }
        for outcome, words in OUTCOMES.items():
            if found := rows.get(outcome):
                table += (
                    f"| {name}: {words} | {found['requests']:,} | {found['failed']} "
                    f"| {found['slower_than_300_ms']} | {command} |\n"
                )
                command = ""
    return table


def bench_part(name: str) -> str:
    """Return the table of one suite of ``make bench``."""
    return table_of({name: results.read("bench")[name]})


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "drill": drills,
    "production": production,
    "deploy": deploys,
    "bench": lambda result: table_of({k: v for k, v in result.items() if k not in SECTIONS}),
    "bench-telemetry": table_of,
    "bench-peers": table_of,
    "bench-watching": lambda result: watching_report.table(result["watching"]),
    "bench-receivers": table_of,
    "bench-registrations": table_of,
    "bench-full": table_of,
    "soak": soak,
    "mutate": mutants,
}
# Tables of what the code declares, or of several result files.
DECLARED: dict[str, Callable[[], str]] = {
    **{f"bench-{name}": partial(bench_part, name) for name in SECTIONS},
    "figures": figures.table,
    "inhibitions": inhibited.inhibitions,
    "draining": inhibited.draining,
}


def made() -> dict[str, str]:
    """Return each table by its name, but those whose result file is missing."""
    measured = {name: results.read(name) for name in TABLES}
    tables = {name: TABLES[name](result) for name, result in measured.items() if result}
    return {**tables, **{name: make() for name, make in DECLARED.items()}}


def filled(text: str) -> str:
    """``text`` with what stands between ``<!-- NAME -->`` and ``<!-- end -->`` replaced."""
    for name, table in made().items():
        mark = f"<!-- {name} -->\n"
        if mark in text:
            before, _, rest = text.partition(mark)
            _, end, after = rest.partition("<!-- end -->")
            text = before + mark + table + end + after
    return text


if __name__ == "__main__":
    if peers := results.read("bench-peers"):
        picture.draw(peers["peers"], ROOT / "docs/pictures/peers.svg")
    if watched := results.read("bench-watching"):
        watching_report.draw(watched["watching"], ROOT / "docs/pictures/watching.svg")
    for page in {PAGE, *ELSEWHERE.values()}:
        page.write_text(filled(page.read_text()))
    scaling.PAGE.write_text(scaling.text())
