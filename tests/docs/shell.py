"""Pages taken apart: their fenced blocks, and commands split into the words of each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

FENCE = re.compile(r"^ *(`{3,})(\S*)[^\n]*\n(.*?)^ *\1$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
# Quoted text, a continued line, a comment, an end of line, anything else.
PIECES = re.compile(
    r"""('[^']*'|"(?:[^"\\]|\\.)*")|(\\\n)|((?<!\S)\#[^\n]*)|(\n)|[^'"\\\n#]+|.""",
    re.VERBOSE | re.DOTALL,
)
SEPARATORS = set(";&|()")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; ``line`` is that of its fence."""

    line: int
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    text = page.read_text()
    for found in FENCE.finditer(text):
        yield Block(_line(text, found.start()), found[2], dedent(found[3]))


def spans(page: Path) -> Iterator[Block]:
    """Yield the code spans outside of fenced blocks, of two lines at most."""
    text = FENCE.sub(lambda found: "\n" * found[0].count("\n"), page.read_text())
    for found in SPAN.finditer(text):
        one = re.sub(r"\s*\n\s*", " ", found[1])
        yield Block(_line(text, found.start()), "", one)


def statements(block: Block) -> Iterator[Block]:
    """Yield the lines of a block; quoted text and a backslash continue one."""
    begin = 0
    for found in PIECES.finditer(block.text + "\n"):
        if found[4] and not block.text[: found.start()].endswith(("|", "&&")):
            text = block.text[begin : found.start()]
            if text.strip():
                yield Block(block.line + 1 + block.text.count("\n", 0, begin), "", text)
            begin = found.end()


def split(text: str) -> list[list[str]]:
    """Return the words of each simple command, without redirections."""
    lexer = shlex.shlex(PIECES.sub(_piece, text), posix=True, punctuation_chars="();<>|&")
    lexer.commenters, lexer.whitespace_split = "", True
    commands: list[list[str]] = [[]]
    target = False  # the word is that of a redirection
    for word in lexer:
        if word and set(word) <= SEPARATORS:
            commands.append([])
        elif set(word) <= set("<>&") and word:
            target = True
            if commands[-1] and commands[-1][-1].isdigit():
                commands[-1].pop()
        elif not target and word != "$":
            commands[-1].append(word)
        else:
            target = False
    return [words for words in commands if words]


def _piece(found: re.Match[str]) -> str:
    quoted, continued, comment, end = found.groups()
    if quoted:
        return quoted
    return " " if continued or comment else " ; " if end else found[0]


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
