"""Takes secrets and personal data out of whatever is about to leave the process.

Three nets: the names of fields and keys, the shapes that secrets have in text, and the secrets
that this process itself was given, wherever they turn up. Where text leaves open how far a
secret goes, the rest of its line goes with it: a poorer log line is the smaller loss.

Every pattern is linear: it starts at a keyword or at the beginning of a run, bounds what it looks
ahead over, or consumes what it has looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from observability import catalog

MASK = "***"
# Longer texts are cut: matching holds the interpreter, and Loki refuses lines above 256 KB.
TEXT_LIMIT = 16_000
DEPTH_LIMIT = 6
TOKEN_LENGTH = 43  # of secrets.token_urlsafe(32): sessions and keys
SHORTEST_SECRET = 6  # to blot out a shorter one would take ordinary words along

_KEYWORD = r"""(?:
    passw(?:or)?d | passphrase | passcode | (?<![a-z])pass(?![a-z]) | pwd | (?<![a-z])pw(?![a-z])
    | secret | token | jwt | credential | authoriz | authentication[\w-]?key
    | (?<![a-z])auth(?![a-z]) | cookie | session | (?<![a-z])sid(?![a-z]) | [cx]srf
    | (?:api|access|private|signing)[_-]?key | e[-_]?mail
    | (?<![a-z])dsn(?![a-z]) | conninfo | database_?url | connection_?string)"""
_SUFFIX = r"(?! [\w]{0,30}\.py\b ) [\w.$\[\]-]{0,30}+"  # not the name of a source file
_QUOTE = r"""(?: \\*["'`] | &quot; | &\#0?3[49]; | %(?:25)*2[27] | \\+u002[27] )"""
_QUOTED = r"""[bBuUrR]{0,2} (?: "(?:[^"\\]|\\.)*+(?:"|\Z) | '(?:[^'\\]|\\.)*+(?:'|\Z) )"""
_ASSIGN = r"(?: => | :=? | ==? | > | %(?:25)*3[ad] )"
# To the end of the line; a quoted text or a collection that begins here may go on beyond it.
_REST = rf"(?: {_QUOTED} | [(\[{{].*+ )? [^\r\n]*+"
_KEYED = re.compile(
    rf"""
    (?P<pair> ["'][\w-]{{0,30}} {_KEYWORD} [\w-]{{0,30}}+ ["']\s*,\s* )
        {_QUOTED} (?= \s*(?:[,)\]}}]|\Z) )
    | (?P<key> {_KEYWORD} {_SUFFIX} )
      (?: (?P<quoted> {_QUOTE}\]?\s*{_ASSIGN}\s* ) {_QUOTED} (?= \s*(?:[,)\]}}]|\Z) )
        | (?P<open> (?: {_QUOTE}\]? )? (?: \s*+{_ASSIGN}\s* | (?<=["'])(?:\r?\n){{2}} ) ) {_REST} )
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

# What an address is made of on either side of its @: anything but RFC 5322's specials.
_ATOM = r'[^\s@\uff20\ufe6b"<>()\[\],;:\\]'
_AT = r"(?: [@\uff20\ufe6b] | \\+(?:u00|x)40 )"
_LIBPQ = r"(?:host|hostaddr|port|dbname|user|sslmode|sslrootcert|application_name|options)"
_SHAPED = re.compile(
    rf"""
    (?: postgres(?:ql)? | mysql | mariadb | mongodb | redis | amqp ) [\w+]{{0,20}} :// [^\r\n]*+
    | (?P<address> (?<!\S) (?:(?!://)\S)*+ :// ) \S*@
    | (?: basic | bearer | negotiate ) (?: \s | %20 | \+ )++ \S++
    | digest \s++ \w{{1,30}}= [^\r\n]*+
    | -----BEGIN\ [\w\ ]{{0,40}}KEY----- .*? (?: -----END\ [\w\ ]{{0,40}}----- | \Z )
    | \$ (?: argon2\w{{0,3}} | 2[abxy] | scrypt | pbkdf2[\w-]{{0,20}} ) \$ \S*+
    | (?: pbkdf2 | scrypt ) : [\w:.]{{1,40}} \$ \S*+
    | (?: \b{_LIBPQ}\s*+=\s*+ (?: '(?:[^'\\]|\\.)*+' | [^\s'=]++ ) \s*+ ){{2,}}+
    | "[^"\r\n]*+" {_AT} {_ATOM}*+
    | (?<!{_ATOM}) {_ATOM}++ (?: {_AT} (?: \[[^\]\s]*+\]? | {_ATOM}*+ ) )++
    | (?<!{_ATOM}) (?= {_ATOM}*? (?: %(?:25)*40 | &\#(?:64|x40)\b ) ) {_ATOM}++
    | (?<![\w-]) eyJ[\w-]++ (?: \.[\w-]*+ ){{1,2}}
    | (?P<token> (?<![A-Za-z0-9_-]) [A-Za-z0-9_-]{{{TOKEN_LENGTH},}}+ )
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# Text in which none of the patterns can find anything, if it is short and names no scheme.
_PLAIN = re.compile(r"[A-Za-z0-9_/{} .!+\n-]*")
_SCHEMES = ("basic", "bearer", "negotiate", "digest")
_LONG_RUN = re.compile(rf"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
# Without one of these (in lower case) a pattern has nothing to find, and it need not be asked.
_KEYED_HINTS = (
    "pass", "pw", "secret", "token", "jwt", "credential", "auth", "cookie", "session", "sid",
    "srf", "key", "mail", "dsn", "conninfo", "database", "connection",
)  # fmt: skip
_SHAPED_HINTS = (
    *_SCHEMES, "@", "\uff20", "\ufe6b", "%", "&#", "\\", "://", "-----", "$", "=", "eyj",
)  # fmt: skip
_SECRET_NAME = re.compile(_KEYWORD, re.IGNORECASE | re.VERBOSE)
_OUR_NAMES = frozenset(catalog.LOG_FIELDS)

_known: set[str] = set()
_known_pattern = re.compile(r"(?!)")
_known_plain: tuple[str, ...] = ()  # those that text of plain characters could hold


def know(secret: str) -> None:
    """Never let this very text through from now on, nor its usual encodings.

    Of an address also the password in it. One of fewer than ``SHORTEST_SECRET`` characters is
    left to the other nets; so is a bare ``http://``, by which they find the address behind it.
    """
    global _known_pattern, _known_plain
    parts = [secret]
    if "://" in secret:
        with suppress(ValueError):  # no address after all
            parts.append(unquote(urlsplit(secret).password or ""))
    for part in parts:
        if len(part) >= SHORTEST_SECRET and not part.endswith("://"):
            forms = (quote(part, safe=""), quote(part), quote_plus(part), json.dumps(part)[1:-1])
            _known.update((part, repr(part)[1:-1], *forms))
    longest_first = sorted(_known, key=len, reverse=True)
    _known_pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
    _known_plain = tuple(part for part in _known if _PLAIN.fullmatch(part))


def knows(value: str) -> bool:
    """Whether a secret that this process was given is in ``value``, as it is or encoded."""
    return bool(_known) and _known_pattern.search(value) is not None


def text(value: str) -> str:
    """``value`` without what must not leave the process; itself if there is nothing such."""
    if len(value) < TOKEN_LENGTH and _plain(value):
        return value
    value = _known_pattern.sub(MASK, value) if _known else value
    if len(value) > TEXT_LIMIT:
        value = _cut(value)
    lower = value.lower()
    if any(hint in lower for hint in _KEYED_HINTS):
        value = _KEYED.sub(_keyed, value)
    if any(hint in lower for hint in _SHAPED_HINTS) or _LONG_RUN.search(value):
        value = _SHAPED.sub(_shaped, value)
    return value


def field(name: str, value: Any) -> Any:
    """The value of a log field or span attribute: masked if its name says so, else cleaned."""
    return MASK if name not in _OUR_NAMES and _SECRET_NAME.search(name) else _clean(value, 0)


def fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Log fields, cleaned; plain numbers, booleans and None stay what they are."""
    if _OUR_NAMES.issuperset(given):
        values = given.values()
        strings = [value for value in values if type(value) is str]
        others = [value for value in values if type(value) is not str]
        if _NUMBERS.issuperset(map(type, others)) and (
            max(map(len, strings), default=0) < TOKEN_LENGTH and _plain("\n".join(strings))
        ):
            return dict(given)
    return {text(str(name)): field(str(name), value) for name, value in given.items()}


_NUMBERS = frozenset((int, float, bool, type(None)))


def _plain(value: str) -> bool:
    """Whether no pattern needs to look: most values are ids, templates and plain words."""
    if not _PLAIN.fullmatch(value):
        return False
    lower = value.lower()
    for scheme in _SCHEMES:
        if scheme in lower:
            return False
    for secret in _known_plain:  # noqa: SIM110  # a generator would cost more than the search
        if secret in value:
            return False
    return True


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return text(str(value))
    if isinstance(value, int | float | None):
        return value
    if isinstance(value, bytes | bytearray):
        return text(value.decode("utf-8", "backslashreplace"))
    if depth < DEPTH_LIMIT:
        if isinstance(value, Mapping):
            return {
                text(str(key)): MASK if _SECRET_NAME.search(str(key)) else _clean(inner, depth + 1)
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return _sequence(list(value), depth)
    return text(str(value))


def _sequence(items: list[Any], depth: int) -> list[Any]:
    """A list; of a pair such as a header, the name decides about the value."""
    if len(items) == 2 and isinstance(items[0], str | bytes):
        name = items[0] if isinstance(items[0], str) else items[0].decode("latin-1")
        if _SECRET_NAME.search(name):
            return [text(name), MASK]
    return [_clean(item, depth + 1) for item in items]


def _keyed(match: re.Match[str]) -> str:
    if pair := match["pair"]:
        return f"{pair}{MASK}"
    return f"{match['key']}{match['quoted'] or match['open']}{MASK}"


def _shaped(match: re.Match[str]) -> str:
    if address := match["address"]:
        return f"{address}{MASK}@"
    run = match["token"]
    # Random ones have both cases; digests and dotted names have one.
    return run if run and (run.islower() or run.isupper() or run.isdigit()) else MASK


def _cut(value: str) -> str:
    """The beginning of a long text, without the word that the cut would tear apart."""
    head = value[:TEXT_LIMIT]
    kept = head[: max(head.rfind(" "), head.rfind("\n"), 0)]
    return f"{kept} [cut, {len(value)} characters]"
