"""A repeatable sample of the mutants, the same share of work for each operator."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from itertools import zip_longest

from tests.mutate.mutant import Mutant


def stratified(mutants: Iterable[Mutant], count: int, seed: int) -> list[Mutant]:
    """Draw ``count`` mutants in turn from each operator's, or all if there are fewer."""
    strata: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        strata.setdefault(mutant.operator, []).append(mutant)
    for name, stratum in strata.items():
        random.Random(f"{seed} {name}").shuffle(stratum)
    rounds = zip_longest(*strata.values())
    return [one for drawn in rounds for one in drawn if one is not None][:count]


def same(row: Mapping[str, str], mutants: Iterable[Mutant]) -> Mutant | None:
    """Return the mutant of an earlier row, though its line may be another now."""
    at = re.search(r":(\d+) ", row["mutant"])
    line = int(at[1]) if at else 0
    alike = [
        one
        for one in mutants
        if one.operator == row["operator"] and _unplaced(one.title) == _unplaced(row["mutant"])
    ]
    return min(alike, key=lambda one: abs(one.line - line), default=None)


def _unplaced(title: str) -> str:
    return re.sub(r":\d+ ", " ", title, count=1)
