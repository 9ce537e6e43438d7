"""An operator on redaction: one thing that is masked no more."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.mutate.mutant import Change

NAMES = re.compile(r'_NAMES = \(\n\s+r"(.*)"\n\)')
BRANCH = re.compile(r"^    (?:\| )?(?=\S)", re.MULTILINE)
PATTERN = re.compile(r'_SECRET = re\.compile\(\n\s+rf"""\n(.*?)\n    """', re.DOTALL)
SUSPECT = re.compile(r'_SUSPECT = re\.compile\(r"(.*)"\)')


def redaction(text: str) -> Iterator[Change]:
    """Leave out a name, a shape, or a character that makes a text suspect."""
    if names := NAMES.search(text):
        for part in re.compile(r"[^|(]+(?:\([^)]*\)[^|]*)?\|?").finditer(text, *names.span(1)):
            if part.end() < names.end(1):
                yield (*part.span(), "")
    if pattern := PATTERN.search(text):
        for branch in BRANCH.finditer(text, *pattern.span(1)):
            yield branch.end(), branch.end(), "(?!) "  # never matches
    if suspect := SUSPECT.search(text):
        for character in "@%:=$":
            at = text.index(character, suspect.start(1), suspect.end(1))
            yield at, at + 1, ""
