"""The template of runbooks, and a page taken apart: its queries, statements, commands and links."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alerts.model import Alert
from alerts.rule_files import all_alerts
from tests.parts import ROOT

RUNBOOKS = ROOT / "alerts/runbooks"
INDEX = RUNBOOKS / "README.md"
NAMES = sorted({alert.runbook_file.removesuffix(".md") for alert in all_alerts()})

LOOK, FIX, OVER, SILENCE = "First look", "Fix", "Verify that it is over", "Silence"
PARTS = ("Meaning", "Impact", LOOK, "Expected values", "Causes", FIX, OVER, SILENCE, "Drill")
ENVIRONMENTS = "| | make up | compose | Swarm |\n| --- | --- | --- | --- |"
LONGEST = 80  # lines: a page is read at night

FENCE = re.compile(r"```(\w+) ?(\w*)\n(.+?)\n```", re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: ``role`` is the database's for SQL, ``question`` the line before it."""

    part: str
    language: str
    role: str
    text: str
    question: str


@dataclass(frozen=True, slots=True)
class Page:
    """A runbook."""

    name: str
    text: str

    @property
    def parts(self) -> dict[str, str]:
        """The text under each of its headings, in their order."""
        pieces = re.split(r"^## (.+)$", self.text, flags=re.MULTILINE)[1:]
        return dict(zip(pieces[::2], pieces[1::2], strict=True))

    def blocks(self, *languages: str, part: str = "") -> list[Block]:
        """The blocks in these languages, of one part or of all."""
        return [
            Block(name, found[1], found[2], found[3], _before(text, found.start()))
            for name, text in self.parts.items()
            if part in ("", name)
            for found in FENCE.finditer(text)
            if found[1] in languages
        ]

    @property
    def spans(self) -> list[str]:
        """What stands in back-quotes outside of blocks."""
        return SPAN.findall(FENCE.sub("", self.text))

    @property
    def links(self) -> list[str]:
        """Where it leads."""
        return LINK.findall(FENCE.sub("", self.text))

    @property
    def alerts(self) -> list[Alert]:
        """The alerts that lead here."""
        return [alert for alert in all_alerts() if alert.runbook_file == f"{self.name}.md"]


def read(name: str) -> Page:
    """The page of this name; it must be there."""
    path = RUNBOOKS / f"{name}.md"
    assert path.is_file(), f"{name} has no runbook: write {path.relative_to(ROOT)}"
    return Page(name, path.read_text())


def _before(text: str, end: int) -> str:
    """The last line before ``end``."""
    return text[:end].rstrip().rpartition("\n")[2]
