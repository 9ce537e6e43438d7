"""Mutation operators on the instrumentation: a call left out, doubled, or with a wrong label."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from observability import catalog
from observability.instrument import events
from tests.mutate.mutant import Change, Source

ONCE = {"emit", "count", "observe", "inc", "dec"}  # each call changes a number
AGAIN = {"set", "watch", "touch"}  # a second call of these changes nothing
LABELS = [label for metric in catalog.METRICS for label in metric.labels if label.values]
OF_EVENTS = {
    name: kind.metric.labels
    for name, kind in vars(events).items()
    if isinstance(kind, type) and hasattr(kind, "metric")
}


def left_out(text: str) -> Iterator[Change]:
    """Leave out a statement that counts, observes or sets."""
    source = Source(text)
    for statement in _statements(source, ONCE | AGAIN):
        yield source.change(statement, "pass")


def doubled(text: str) -> Iterator[Change]:
    """Count or observe twice."""
    source = Source(text)
    for statement in _statements(source, ONCE):
        code = source.code(statement)
        yield source.change(statement, f"{code}\n{' ' * statement.col_offset}{code}")


def label_value(text: str) -> Iterator[Change]:
    """Give a known value of a label as the next one of the same label."""
    source = Source(text)
    for node, labels in _arguments(source.tree):
        for constant in ast.walk(node):
            if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                for label in labels:
                    if constant.value in label.values:
                        at = label.values.index(constant.value) + 1
                        other = label.values[at % len(label.values)]
                        yield source.change(constant, f'"{other}"')
                        break


def _statements(source: Source, names: set[str]) -> Iterator[ast.Expr]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute) and called.attr in names:
                if called.attr in AGAIN and not _names_a_metric(node.value):
                    continue
                yield node


def _names_a_metric(call: ast.Call) -> bool:
    """Whether it is an instrument, not an ``asyncio.Event`` or a context variable."""
    return bool(call.args) and ast.unparse(call.args[0]).startswith("catalog.")


def _arguments(tree: ast.AST) -> Iterator[tuple[ast.expr, tuple[catalog.Label, ...]]]:
    """Return each argument that may be a label's value, and the labels."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if labels := OF_EVENTS.get(name):
            yield from ((argument, labels) for argument in node.args)
        elif name in ONCE | AGAIN and _names_a_metric(node):
            metric = getattr(catalog, ast.unparse(node.args[0]).removeprefix("catalog."), None)
            yield from ((argument, metric.labels) for argument in node.args[1:] if metric)
        elif name == "_failed":
            yield from ((argument, tuple(LABELS)) for argument in node.args)
