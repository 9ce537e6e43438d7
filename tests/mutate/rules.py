"""Operators on alerts: thresholds, ``for``, windows and comparisons."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.mutate.mutant import Change, Source

WAITS = {"for_", "keep_firing_for"}
WINDOWS = {"window", "warm_up", "samples_in", "evaluations_in"}
# Arguments of a burn rate: severity, long, short, factor, for.
BURN = {"window": (1, 2), "threshold": (3,), "for": (4,)}
OTHER = {
    ast.Gt: (">", "<"), ast.Lt: ("<", ">"), ast.GtE: (">=", "<"), ast.LtE: ("<=", ">"),
}  # fmt: skip
TWICE = 2


def threshold(text: str) -> Iterator[Change]:
    """Double a limit: a constant, a factor, or the number compared."""
    source = Source(text)
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.isupper() and not name.endswith(("_WINDOW", "_SECONDS")):
                yield from _doubled(source, node.value)
    for call in _calls(source.tree, {"Objective"}):
        for argument in call.args[2:]:
            yield from _doubled(source, argument)
    yield from _burns(source, "threshold")
    for compared in _compared(source.tree):
        yield from _doubled(source, compared.comparators[0])
    for call in _calls(source.tree, {"equals"}):
        yield source.change(call.args[0], "1" if source.code(call.args[0]) == "0" else "0")


def wait(text: str) -> Iterator[Change]:
    """Triple a ``for`` or ``keep_firing_for``."""
    source = Source(text)
    for call in _calls(source.tree, {"Alert"}):
        for keyword in call.keywords:
            if keyword.arg in WAITS and source.code(keyword.value) != "0":
                yield source.change(keyword.value, f"3 * {_inner(source, keyword.value)}")
    yield from _burns(source, "for")


def window(text: str) -> Iterator[Change]:
    """Double the range that a rule looks at."""
    source = Source(text)
    for call in _calls(source.tree, WINDOWS):
        if call.args:
            yield source.change(call.args[0], f"2 * {_inner(source, call.args[0])}")
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.endswith(("_WINDOW", "_SECONDS")) and name.isupper():
                yield source.change(node.value, f"2 * {_inner(source, node.value)}")
    yield from _burns(source, "window")


def comparison(text: str) -> Iterator[Change]:
    """Turn a comparison of an expression round, or a logical operator into the other."""
    source = Source(text)
    for compared in _compared(source.tree):
        old, new = OTHER[type(compared.ops[0])]
        left, right = source.span(compared.left)[1], source.span(compared.comparators[0])[0]
        between = source.text[left:right]
        yield left, right, between.replace(old, new, 1)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
            old, new = ("&", "|") if isinstance(node.op, ast.BitAnd) else ("|", "&")
            left, right = source.span(node.left)[1], source.span(node.right)[0]
            between = source.text[left:right]
            if not any(isinstance(one, ast.Set | ast.Dict) for one in (node.left, node.right)):
                yield left, right, between.replace(old, new, 1)


def _calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in names:
                yield node


def _compared(tree: ast.AST) -> Iterator[ast.Compare]:
    """Return what compares two expressions of PromQL, not two values of Python."""
    python = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If | ast.IfExp | ast.comprehension)
        for test in (node.ifs if isinstance(node, ast.comprehension) else [node.test])
        for inner in ast.walk(test)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and node not in python and type(node.ops[0]) in OTHER:
            yield node


def _burns(source: Source, what: str) -> Iterator[Change]:
    for call in _calls(source.tree, {"BurnRate"}):
        for at in BURN[what]:
            if at < len(call.args):
                yield source.change(call.args[at], f"2 * {_inner(source, call.args[at])}")


def _doubled(source: Source, node: ast.expr) -> Iterator[Change]:
    """Double a number or a product; near 1, double the budget instead."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        value = node.value
        if isinstance(value, float) and 0.9 <= value < 1:
            yield source.change(node, f"{1 - TWICE * (1 - value):.6g}")
        else:
            yield source.change(node, f"{TWICE * value:.6g}" if value else "1")
    elif isinstance(node, ast.BinOp | ast.Name | ast.Attribute):
        code = source.code(node)
        if isinstance(node, ast.BinOp) or code.rpartition(".")[2].isupper():
            yield source.change(node, f"{TWICE} * {_inner(source, node)}")


def _inner(source: Source, node: ast.expr) -> str:
    code = source.code(node)
    return f"({code})" if isinstance(node, ast.BinOp) else code
