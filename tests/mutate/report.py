"""The figures of a run, and their table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.mutate.operators import OPERATORS
from tests.mutate.reasons import reason
from tests.mutate.trial import Outcome

Json = dict[str, Any]


def row(outcome: Outcome) -> Json:
    """Return an outcome as it is kept in the result file."""
    mutant = outcome.mutant
    return {
        "operator": mutant.operator,
        "mutant": mutant.title,
        "verdict": outcome.verdict,
        "by": outcome.by or (reason(mutant) if outcome.verdict == "survived" else ""),
    }


def figures(seed: int, sites: int, rows: Iterable[Json]) -> Json:
    """Return the result; what is equivalent to the original is no mutant."""
    kept = list(rows)
    counted = [one for one in kept if one["verdict"] != "equivalent"]
    noticed = sum(one["verdict"] == "noticed" for one in counted)
    return {
        "seed": seed,
        "sites": sites,
        "sampled": len(counted),
        "noticed": noticed,
        "equivalent": len(kept) - len(counted),
        "share": round(noticed / len(counted), 4) if counted else None,
        "rows": kept,
    }


def markdown(result: Json) -> str:
    """Return the table: a row for each operator, then one for each survivor."""
    text = "| operator | what it does | sampled | noticed |\n" + "| --- " * 4 + "|\n"
    counted = [one for one in result["rows"] if one["verdict"] != "equivalent"]
    for name, operator in OPERATORS.items():
        own = [one for one in counted if one["operator"] == name]
        noticed = sum(one["verdict"] == "noticed" for one in own)
        text += f"| {name} | {operator.help.replace('``', '`')} | {len(own)} | {noticed} |\n"
    share = f"{result['share']:.1%}" if counted else "none"
    text += f"| all | | {result['sampled']} | {result['noticed']} ({share}) |\n"
    survivors = [one for one in counted if one["verdict"] == "survived"]
    if survivors:
        text += "\n| survivor | why no check notices it |\n| --- | --- |\n"
    for one in survivors:
        title = one["mutant"].replace("|", "\\|")
        text += f"| {one['operator']}: `{title}` | {one['by'].replace('|', chr(92) + '|')} |\n"
    return text
