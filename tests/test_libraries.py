"""Libraries are used unchanged: nothing private is read, nothing replaced.

Only documented extension points are subclassed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import ROOT

PACKAGES = ("app", "observability", "dashboards", "alerts", "simulator")
LIBRARIES = frozenset(
    ("uvicorn", "starlette", "prometheus_client", "opentelemetry", "logging_loki", "aiohttp",
     "psycopg", "psycopg_pool")
)  # fmt: skip
# What the documentation of each library says is made to be subclassed.
EXTENSION_POINTS = frozenset(
    ("opentelemetry.sdk.trace.id_generator.IdGenerator", "opentelemetry.sdk.trace.SpanProcessor",
     "opentelemetry.sdk.trace.export.SpanExporter", "opentelemetry.sdk.trace.sampling.Sampler",
     "starlette.exceptions.HTTPException", "starlette.convertors.Convertor",
     "starlette.responses.Response", "starlette.staticfiles.StaticFiles",
     "prometheus_client.registry.Collector")
)  # fmt: skip


class Names(ast.NodeVisitor):
    """The names in a module that refer to a library, and their uses."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}  # local name → dotted name in the library
        self.wrong: list[str] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.partition(".")[0] in LIBRARIES:
                self._private(node, alias.name)
                name = alias.asname or alias.name.partition(".")[0]
                self.known[name] = alias.name if alias.asname else name

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if module.partition(".")[0] in LIBRARIES:
            for alias in node.names:
                self._private(node, f"{module}.{alias.name}")
                self.known[alias.asname or alias.name] = f"{module}.{alias.name}"

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._assigned(target)
            self._instance(target, node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._assigned(node.target)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._assigned(node.target)
        self._instance(node.target, node.annotation)
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        if node.annotation is not None:
            self._instance(ast.Name(node.arg), node.annotation)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in ("setattr", "getattr", "delattr"):
            on = self._dotted(node.args[0])
            name = node.args[1].value if isinstance(node.args[1], ast.Constant) else ""
            if on and (node.func.id != "getattr" or str(name).startswith("_")):
                self._say(node, f"{node.func.id} of {on}")
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for base in node.bases:
            dotted = self._dotted(base)
            if dotted and dotted not in EXTENSION_POINTS:
                self._say(node, f"{node.name} is a subclass of {dotted}")
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if _is_private(node.attr) and (dotted := self._dotted(node.value)):
            self._say(node, f"{dotted}.{node.attr} is private")
        self.generic_visit(node)

    def _instance(self, target: ast.expr, value: ast.expr) -> None:
        """Remember that a name or ``self.name`` is made by, or declared as, something of theirs."""
        found = value.func if isinstance(value, ast.Call) else value
        for part in ast.walk(found) if isinstance(found, ast.BinOp | ast.Subscript) else [found]:
            if isinstance(part, ast.Name | ast.Attribute) and (dotted := self._dotted(part)):
                self.known[ast.unparse(target)] = dotted + "()"

    def _assigned(self, target: ast.expr) -> None:
        """Find a replaced attribute of a module or class; instances may be set."""
        if isinstance(target, ast.Attribute):
            dotted = self._dotted(target.value)
            if dotted and "()" not in dotted:
                self._say(target, f"{dotted}.{target.attr} is assigned")

    def _dotted(self, node: ast.expr) -> str:
        """The dotted name in a library that an expression stands for, or ''."""
        text = ast.unparse(node)
        if text in self.known:
            return self.known[text]
        if isinstance(node, ast.Attribute) and (base := self._dotted(node.value)):
            return f"{base}.{node.attr}"
        if isinstance(node, ast.Subscript):
            return self._dotted(node.value)
        return ""

    def _private(self, node: ast.AST, dotted: str) -> None:
        if any(_is_private(part) for part in dotted.split(".")):
            self._say(node, f"{dotted} is private")

    def _say(self, node: ast.AST, what: str) -> None:
        self.wrong.append(f"{getattr(node, 'lineno', 0)}: {what}")


def _is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def wrong(source: str) -> list[str]:
    """What a module does to the libraries, by line."""
    tree = ast.parse(source)
    names = Names()
    names.visit(tree)  # once to learn what is an instance, wherever it is declared
    names.wrong.clear()
    names.visit(tree)
    own = _subclass_privates(tree, names)
    return sorted({*names.wrong, *own}, key=lambda said: int(said.partition(":")[0]))


def _subclass_privates(tree: ast.AST, names: Names) -> Iterator[str]:
    """Find private names of a library's class that a subclass uses or overrides."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(names._dotted(base) for base in node.bases):
            made = {ast.unparse(t) for n in ast.walk(node) for t in _targets(n)}
            for part in ast.walk(node):
                inherited = (
                    isinstance(part, ast.Attribute)
                    and _is_private(part.attr)
                    and ast.unparse(part.value) in ("self", "super()")
                    and ast.unparse(part) not in made
                    and not any(
                        isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)
                        and m.name == part.attr
                        for m in node.body
                    )
                )
                if inherited and isinstance(part, ast.Attribute):
                    yield f"{part.lineno}: {node.name} reads {part.attr} of its base"


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [e for t in node.targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def modules() -> list[Path]:
    """All modules of our packages."""
    return sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_libraries_are_used_as_they_come(path: Path) -> None:
    assert wrong(path.read_text()) == []


PLANTED = {
    "a private module": "from opentelemetry.instrumentation._semconv import x",
    "a private name": "from starlette._utils import is_async_callable",
    "a private attribute of a module": "import uvicorn\nuvicorn._subprocess",
    "a private attribute of an instance": "from prometheus_client import Counter\n"
    "c = Counter('a', 'b')\nc._value.inc()",
    "of an argument": "from prometheus_client import Counter\ndef f(c: Counter):\n    c._value",
    "of a field": "import uvicorn\nclass A:\n    def __init__(self, s: uvicorn.Server | None):\n"
    "        self.s: uvicorn.Server | None = s\n    def f(self):\n        self.s._serve()",
    "a function replaced": "from uvicorn.protocols.http import httptools_impl\n"
    "httptools_impl.RequestResponseCycle = 1",
    "a method replaced": "from uvicorn import Server\nServer.on_tick = None",
    "setattr": "import starlette.routing as r\nsetattr(r, 'Router', 1)",
    "getattr": "import uvicorn\ngetattr(uvicorn, '_x')",
    "a subclass": "import uvicorn\nclass S(uvicorn.Server): ...",
    "a subclass of a metric": "from prometheus_client import Counter\nclass C(Counter): ...",
    "a private of the base": "from opentelemetry.sdk.trace import SpanProcessor\n"
    "class P(SpanProcessor):\n    def f(self):\n        return self._spans",
}


@pytest.mark.parametrize("source", PLANTED.values(), ids=PLANTED)
def test_what_was_planted_is_found(source: str) -> None:
    assert wrong(source)


def test_what_is_documented_is_no_offence() -> None:
    assert not wrong(
        "import uvicorn\n"
        "from opentelemetry.sdk.trace import SpanProcessor\n"
        "s = uvicorn.Server(None)\ns.should_exit = True\n"
        "class P(SpanProcessor):\n"
        "    def __init__(self):\n        self._own = 1\n"
        "    def f(self):\n        return self._own, self._g()\n"
        "    def _g(self): ...\n"
    )
