"""The figures of a run, their result file and their tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tests import results
from tests.mutate.operators import OPERATORS
from tests.mutate.reasons import LIVE_REASONS, REASONS, Reasons, reason
from tests.mutate.trial import Outcome

Json = dict[str, Any]
NAME = "mutate"


def row(outcome: Outcome) -> Json:
    """Return an outcome as it is kept in the result file."""
    mutant = outcome.mutant
    return {
        "operator": mutant.operator,
        "mutant": mutant.title,
        "verdict": outcome.verdict,
        "by": outcome.by,
    }


def line(one: Json) -> str:
    """A row, for people."""
    by = f"  [{one['by']}]" if one["by"] else ""
    return f"{one['verdict']:10} {one['operator']:11} {one['mutant']}{by}"


def figures(seed: int, sites: int, rows: Iterable[Json]) -> Json:
    """Return the result; what is equivalent to the original is no mutant.

    ``noticed_after`` counts those too that a test which was added since notices (``again``).
    """
    kept = list(rows)
    counted = [one for one in kept if one["verdict"] != "equivalent"]
    noticed = sum(one["verdict"] == "noticed" for one in counted)
    later = sum(one.get("again", {}).get("verdict") == "noticed" for one in counted)
    return {
        "seed": seed,
        "sites": sites,
        "sampled": len(counted),
        "noticed": noticed,
        "noticed_after": noticed + later,
        "equivalent": len(kept) - len(counted),
        "share": _share(noticed, counted),
        "share_after": _share(noticed + later, counted),
        "rows": kept,
    }


def _share(noticed: int, counted: list[Json]) -> float | None:
    return round(noticed / len(counted), 4) if counted else None


def keep(part: Json) -> None:
    """Replace this part of the result file."""
    path = results.RESULTS / f"{NAME}.json"
    path.write_text(results.as_text(results.read(NAME) | part))


def markdown(result: Json) -> str:
    """Return the tables of the unit layer and, if there are some, of live mutants."""
    text = _table(result, REASONS, "why no check notices it")
    if live := result.get("live"):
        text += "\nOn a running platform:\n\n"
        text += _table(live, LIVE_REASONS, "why no drill and no panel notices it")
    return text


def _table(result: Json, reasons: Reasons, why: str) -> str:
    """A row for each operator, then one for each mutant that survived at first."""
    text = "| operator | what it does | sampled | noticed at first | with the tests added |\n"
    text += "| --- " * 5 + "|\n"
    counted = [one for one in result["rows"] if one["verdict"] != "equivalent"]
    for name, operator in OPERATORS.items():
        own = [one for one in counted if one["operator"] == name]
        if own or "live" in result:
            numbers = [figures(0, 0, own)[key] for key in ("sampled", "noticed", "noticed_after")]
            help_ = operator.help.replace("``", "`")
            text += f"| {name} | {help_} | {' | '.join(map(str, numbers))} |\n"
    first, after = (
        f"{result[number]} ({result[share]:.1%})" if counted else "0"
        for number, share in (("noticed", "share"), ("noticed_after", "share_after"))
    )
    text += f"| all | | {result['sampled']} | {first} | {after} |\n"
    if survivors := [one for one in counted if one["verdict"] == "survived"]:
        text += f"\n| survivor | noticed since by, or {why} |\n| --- | --- |\n"
        text += "".join(_survivors(survivors, reasons))
    return text


def _survivors(rows: list[Json], reasons: Reasons) -> Iterator[str]:
    for one in rows:
        again = one.get("again", {})
        because = f"`{again['by']}`" if again.get("verdict") == "noticed" else one["by"]
        because = because or reason(one["operator"], one["mutant"], reasons)
        cells = (f"{one['operator']}: `{one['mutant']}`", because)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
