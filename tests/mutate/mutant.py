"""A mutant: one small change of one source file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Change = tuple[int, int, str]  # the characters from start to end become this text


@dataclass(frozen=True)
class Mutant:
    """``operator`` applied at characters ``start`` to ``end`` of ``file``."""

    operator: str
    file: str
    start: int
    end: int
    old: str
    new: str
    line: int

    @property
    def title(self) -> str:
        """Where it is and what it changes, on one line."""
        old, new = (" ".join(text.split())[:70] for text in (self.old, self.new))
        return f"{self.file}:{self.line} {old!r} → {new!r}"

    def apply(self, root: Path) -> None:
        """Write it into the checkout at ``root``. Raises ValueError if the text is another."""
        path = root / self.file
        text = path.read_text()
        if text[self.start : self.end] != self.old:
            raise ValueError(f"{self.file} is not the file that was read")
        path.write_text(text[: self.start] + self.new + text[self.end :])


def made(operator: str, file: str, text: str, changes: Iterator[Change]) -> Iterator[Mutant]:
    """Return a mutant for each change of ``text`` that is one."""
    for start, end, new in changes:
        if text[start:end] != new:
            line = text.count("\n", 0, start) + 1
            yield Mutant(operator, file, start, end, text[start:end], new, line)


class Source:
    """The text of a Python file and its syntax tree, with positions in characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Return start and end of a node."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._at(node.lineno, node.col_offset),
            self._at(node.end_lineno, node.end_col_offset),
        )

    def change(self, node: ast.stmt | ast.expr, new: str) -> Change:
        """Return the change of a node's text."""
        return (*self.span(node), new)

    def code(self, node: ast.stmt | ast.expr) -> str:
        """Return the text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def _at(self, line: int, column: int) -> int:
        """Python counts columns in bytes."""
        before = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(before)
