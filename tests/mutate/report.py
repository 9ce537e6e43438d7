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
    """Return the result; what is equivalent or undecided is not counted.

    ``noticed_after`` counts those too that a test which was added since notices (``again``).
    """
    kept = list(rows)
    judged = counted(kept)
    noticed = sum(one["verdict"] == "noticed" for one in judged)
    later = sum(one.get("again", {}).get("verdict") == "noticed" for one in judged)
    return {
        "seed": seed,
        "sites": sites,
        "sampled": len(judged),
        "noticed": noticed,
        "noticed_after": noticed + later,
        "equivalent": sum(one["verdict"] == "equivalent" for one in kept),
        "undecided": sum(one["verdict"] == "undecided" for one in kept),
        "share": _share(noticed, judged),
        "share_after": _share(noticed + later, judged),
        "rows": kept,
    }


def counted(rows: Iterable[Json]) -> list[Json]:
    """The rows whose mutant was noticed or survived; the others say nothing of the tests."""
    return [one for one in rows if one["verdict"] in ("noticed", "survived")]


def _share(noticed: int, judged: list[Json]) -> float | None:
    return round(noticed / len(judged), 4) if judged else None


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
    judged = counted(result["rows"])
    for name, operator in OPERATORS.items():
        own = [one for one in judged if one["operator"] == name]
        if own or "live" in result:
            numbers = [figures(0, 0, own)[key] for key in ("sampled", "noticed", "noticed_after")]
            help_ = operator.help.replace("``", "`")
            text += f"| {name} | {help_} | {' | '.join(map(str, numbers))} |\n"
    first, after = (
        f"{result[number]} ({result[share]:.1%})" if judged else "0"
        for number, share in (("noticed", "share"), ("noticed_after", "share_after"))
    )
    text += f"| all | | {result['sampled']} | {first} | {after} |\n"
    if survivors := [one for one in judged if one["verdict"] == "survived"]:
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
