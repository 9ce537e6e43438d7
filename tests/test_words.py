"""The words of the code: the field's terms, and docstrings that need reading once."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import ROOT

PACKAGES = ("alerts", "app", "dashboards", "observability", "simulator", "tests")
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
WORDS, CHARACTERS = 15, 100  # of a docstring's first line
# what we used to say → what the field says; in strings, docstrings and comments
TERMS = {
    r"taken back": "rolled back",
    r"found in memory": "cache hit ratio",
    r"spilt to disk": "temporary files",
    r"rounds left out": "missed iterations",
    r"collections of garbage": "GC collections",
    r"the way in\b(?!to)": "reverse proxy",
    r"none is taken": "rejected",
    r"trace that is kept|every trace kept": "sampled trace",
    r"receiver of traces|OTLP receiver": "OTLP collector",
    r"calls someone|someone is paged": "pages",
    r"\b(the|a|on-call) room\b": "channel",
    r"rounds? of the rules": "rule evaluation",
    r"as its code says|as generated": "up to date, out of date",
    r"nobody's way": "isolated from",
    r"lets? a fault in\b": "injects a fault",
    r"how far it came": "checkpoint",
    r"the old side": "source database",
    r"[Ww]hoever|\b[Ww]hom\b": "users, clients, callers, operators",
    r"latest mark": "latest id",
    r"\bchores\b": "periodic tasks",
    r"beg[au]n anew|begins? anew": "restarted",
}
# names: what we used to say → what the field says
NAMES = {
    "Ran": "query record", "Kept": "finished trace",
    "Tally": "Results", "QuickCounter": "prometheus_client.Counter",
    "Chores": "PeriodicTasks", "pulse": "heartbeat", "ROOM": "CHANNEL",
    "Afterwards": "TailSampling",
    "Deliveries": "ExportCounts", "Turns": "HashingQueue",
    "Clock": "TimeScale", "Burnt": "BudgetUse", "Judgement": "Detector", "Looked": "Scrapes",
    "Entrance": "RunningProxy", "HUES": "PALETTE", "whose": "session_user",
}  # fmt: skip
OURS = Path(__file__)


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield name and docstring of the module, its classes and its functions."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield getattr(node, "name", "module"), text


def texts(source: str) -> Iterator[str]:
    """Yield comments and strings, docstrings too, without line breaks."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield " ".join(token.string.split())


def names(tree: ast.Module) -> Iterator[str]:
    """Yield the identifiers that the file defines or uses, without leading underscores."""
    for node in ast.walk(tree):
        for field in ("name", "id", "attr", "arg"):
            if isinstance(found := getattr(node, field, None), str):
                yield found.lstrip("_")


def foreign(text: str) -> list[str]:
    """Return each term of ``TERMS`` in a text, with what to use."""
    return [f"{text[:80]!r}: use {use}" for old, use in TERMS.items() if re.search(old, text)]


@pytest.mark.parametrize("file", FILES, ids=name)
def test_the_first_line_of_a_docstring_is_read_once(file: Path) -> None:
    for owner, text in docstrings(ast.parse(file.read_text())):
        first, _, rest = text.partition("\n")
        assert not rest or not rest.partition("\n")[0], f"{owner}: a summary has one line"
        assert len(first.split()) <= WORDS, f"{owner}: {len(first.split())} words: {first}"
        assert len(first) <= CHARACTERS, f"{owner}: {len(first)} characters: {first}"


@pytest.mark.parametrize("file", [f for f in FILES if f != OURS], ids=name)
def test_the_code_says_what_the_field_says(file: Path) -> None:
    source = file.read_text()
    assert not [line for text in texts(source) for line in foreign(text)]
    assert not {n: NAMES[n] for n in names(ast.parse(source)) if n in NAMES}


def test_a_foreign_word_is_found() -> None:
    source = '"""Whoever asks the room."""\nclass Tally:\n    pulse = 1  # taken back\n'
    assert len([line for text in texts(source) for line in foreign(text)]) == 3
    assert {"Tally", "pulse"} <= set(names(ast.parse(source)))
