"""Files that can be read in one sitting, functions that fit a screen."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.parts import ROOT

LINES, FUNCTION_LINES = 300, 50
PACKAGES = ("app", "observability", "dashboards", "alerts", "simulator", "tests")
# Tables of data, which nobody reads from the beginning to the end.
TABLES = {
    "observability/catalog/metrics.py",
    "alerts/business.py", "alerts/monitoring.py", "alerts/saturation.py", "alerts/services.py",
}  # fmt: skip
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_file_and_its_functions_are_short(file: Path) -> None:
    text = file.read_text()
    if name(file) in TABLES:
        return
    assert text.count("\n") <= LINES
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, functions) and node.end_lineno:
            assert node.end_lineno - node.lineno < FUNCTION_LINES, f"{node.name} is too long"
