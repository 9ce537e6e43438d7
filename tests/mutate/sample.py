"""A repeatable sample of the mutants, the same share of work for each operator."""

from __future__ import annotations

import random
from collections.abc import Iterable
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
