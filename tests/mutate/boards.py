"""Operators on dashboards: another unit, another metric of the catalogue."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from observability import catalog, exporters
from observability.catalog import Metric
from tests.mutate.mutant import Change, Source

OTHER_UNIT = {
    "s": "bytes", "bytes": "s", "percentunit": "s", "binBps": "reqps", "reqps": "s",
    "ops": "percentunit", "cps": "percentunit", "short": "s", "none": "s", "locale": "bytes",
}  # fmt: skip
MODULES = {"c": catalog, "e": exporters, "catalog": catalog, "exporters": exporters}


def unit(text: str) -> Iterator[Change]:
    """Show a panel in the unit of another quantity."""
    source = Source(text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.keyword) and node.arg == "unit":
            value = node.value
            if isinstance(value, ast.Constant) and value.value in OTHER_UNIT:
                yield source.change(value, f'"{OTHER_UNIT[value.value]}"')


def query(text: str) -> Iterator[Change]:
    """Ask for another metric with the same labels, of the same kind."""
    source = Source(text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = MODULES.get(node.value.id)
            metric = getattr(module, node.attr, None)
            if isinstance(metric, Metric) and (other := _other(module, metric)):
                yield source.change(node, f"{node.value.id}.{other}")


def _other(module: object, metric: Metric) -> str:
    """Return the next metric that builders cannot tell apart; '' if none."""
    found = [
        name
        for name, one in vars(module).items()
        if isinstance(one, Metric)
        and (one.kind, one.label_names) == (metric.kind, metric.label_names)
    ]
    names = [name for name in found if getattr(module, name) is metric]
    if not names or len(found) < 2:
        return ""
    return found[(found.index(names[0]) + 1) % len(found)]
