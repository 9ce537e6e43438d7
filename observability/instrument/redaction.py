"""Removes secrets and e-mail addresses from everything that leaves the process.

Only fields of the catalogue are written. In their text these are masked: secrets that this process
was given, credentials in URLs and headers, values named like a secret, password hashes, session
tokens, e-mail addresses. Where the end of a secret is not clear, the rest of its line is masked
too. Every pattern has bounded lookahead, so time is linear in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from observability import catalog

MASK = "***"
TEXT_LIMIT = 16_000  # characters; Loki refuses lines above 256 KB
SHORTEST_SECRET = 6  # a shorter one would mask ordinary words as well

_NAMES = (
    r"passw(?:or)?d|pwd|pw_hash|secret|token|cookie|session|authorization|api[_-]?key|e[_-]?mail"
)
_SECRET = re.compile(
    rf"""
    (?P<url> :// ) \S{{0,300}} @
    | (?P<named> (?:{_NAMES}) [\w-]{{0,30}} \\{{0,3}} ["']? \s{{0,3}} (?: => | [:=] ) ) [^\r\n]+
    | (?P<scheme> \b (?:basic|bearer) \s{{1,3}} ) \S+
    | (?: \$ (?:argon2|2[aby]|scrypt) | \b (?:pbkdf2|scrypt|sha1|sha256|md5) [:$] ) \S+
    | [^\s@<>"'(),;:=/]{{1,64}} (?: @ | %40 ) [\w.-]{{1,255}}
    | (?<![\w-]) (?-i: (?=[\w-]{{0,42}}[a-z]) (?=[\w-]{{0,42}}[A-Z]) ) [\w-]{{43,}}
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Text without any of these cannot match the pattern above; most text has none.
_SUSPECT = re.compile(r"[@%:=$]|[bB](?:asic|earer|ASIC|EARER)|[\w-]{43}")
_WRITTEN = frozenset(catalog.LOG_FIELDS)
_PLAIN = (int, float, bool, type(None))

_known: set[str] = set()
_known_pattern = re.compile(r"(?!)")


def know(secret: str) -> None:
    """Mask this text from now on, in its usual encodings.

    For a URL also the password in it.
    """
    parts = [secret]
    with suppress(ValueError):
        parts.append(unquote(urlsplit(secret).password or ""))
    for part in parts:
        if len(part) >= SHORTEST_SECRET and not part.endswith("://"):
            forms = (quote(part, safe=""), quote(part), quote_plus(part), json.dumps(part)[1:-1])
            _known.update((part, repr(part)[1:-1], *forms))
    _compile()


@contextmanager
def forgetting() -> Iterator[None]:
    """Forget at the end of the block the secrets registered in it: for tests."""
    before = set(_known)
    try:
        yield
    finally:
        _known.intersection_update(before)
        _compile()


def _compile() -> None:
    global _known_pattern
    longest_first = sorted(_known, key=len, reverse=True)
    _known_pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def text(value: str) -> str:
    """Return ``value`` with secrets masked."""
    if _known:
        value = _known_pattern.sub(MASK, value)
    if len(value) > TEXT_LIMIT:
        kept = value[:TEXT_LIMIT].rsplit(maxsplit=1)[0]  # do not keep part of an address or a token
        value = f"{kept if len(kept) < TEXT_LIMIT else ''} [cut, {len(value)} characters]"
    return _SECRET.sub(_mask, value) if _SUSPECT.search(value) else value


def fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the catalogue: numbers, booleans, None or redacted text."""
    return {
        name: value if isinstance(value, _PLAIN) else text(str(value))
        for name, value in given.items()
        if name in _WRITTEN
    }


def _mask(match: re.Match[str]) -> str:
    if match["url"]:
        return f"://{MASK}@"
    return f"{match['named'] or match['scheme'] or ''}{MASK}"
