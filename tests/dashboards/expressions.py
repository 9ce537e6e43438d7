"""The names in a PromQL expression, found by a parser instead of our builder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import promql_parser as p

from alerts.model import Recording
from alerts.rule_files import files
from observability import catalog, exporters
from observability.catalog import Metric

SCRAPED = {"job", "service", "instance"}
PARTS = ("_bucket", "_sum", "_count")
VARIABLES = {"$__rate_interval": "20s", "$__range": "1h", "$__interval": "15s"}
CHILDREN = ("expr", "lhs", "rhs", "vector_selector", "param")


@cache
def recorded() -> tuple[Metric, ...]:
    """What our recording rules produce."""
    rules = (rule for groups in files().values() for group in groups for rule in group.rules)
    return tuple(rule.metric for rule in rules if isinstance(rule, Recording))


def known() -> dict[str, Metric]:
    """Every metric that an expression may name."""
    return {m.name: m for m in (*catalog.METRICS, *exporters.METRICS, *recorded())}


def parse(text: str) -> Any:
    """The syntax tree, with Grafana's variables filled in."""
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    return p.parse(re.sub(r"\$\{?\w+\}?", "x", text))


def nodes(tree: Any) -> Iterator[Any]:
    """The tree and all that is in it."""
    yield tree
    inside = [getattr(tree, name, None) for name in CHILDREN]
    for child in [*inside, *getattr(tree, "args", ())]:
        if child is not None:
            yield from nodes(child)


def metrics(text: str) -> set[str]:
    """The metric families that ``text`` reads."""
    return {_family(node)[0] for node in nodes(parse(text)) if isinstance(node, p.VectorSelector)}


def unknown(text: str) -> list[str]:
    """Metrics and labels of ``text`` that are not in the catalogue."""
    found = []
    for node in nodes(parse(text)):
        if isinstance(node, p.VectorSelector):
            family, labels = _family(node)
            if not labels:
                found.append(f"metric {family}")
                continue
            used = {matcher.name for matcher in node.matchers.matchers}
            found += [f"label {label} of {family}" for label in used - labels]
        elif isinstance(node, p.AggregateExpr) and node.modifier:
            selectors = [n for n in nodes(node.expr) if isinstance(n, p.VectorSelector)]
            there = set().union(*(_family(s)[1] for s in selectors))
            found += [f"label {label} in by()" for label in set(node.modifier.labels) - there]
    return found


def _family(selector: Any) -> tuple[str, set[str]]:
    name, have = selector.name, known()
    for part in PARTS:
        base = name.removesuffix(part)
        if base != name and base in have and have[base].kind == "histogram":
            return base, {
                *have[base].label_names,
                *SCRAPED,
                *(("le",) if part == "_bucket" else ()),
            }
    if name in have and have[name].kind != "histogram":
        return name, {*have[name].label_names, *SCRAPED}
    return name, set()
