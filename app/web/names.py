"""User names in URLs. A name may be any text, also ``a/b``, ``50%?`` or ``..``.

The router sees the path as it was sent, so that ``/a%2Ffollow`` is the user ``a/follow`` while
``/a/follow`` is an action. Slashes that were not encoded still belong to the name.
"""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes, urlencode

from starlette.types import ASGIApp, Receive, Scope, Send

# Names equal to a route, and segments that browsers resolve (``..``), get a separate URL that no
# other name can have: a slash within a name is always encoded.
BY_QUERY = "/-/user"
RESERVED = frozenset(
    (".", "..", "add_message", "favicon.ico", "healthz", "login", "logout", "metrics", "public",
     "readyz", "register")
)  # fmt: skip


class UndecodedPath:
    """Middleware: routes match the path before percent-decoding."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the path that the router reads to the raw path."""
        if scope["type"] == "http" and scope.get("raw_path"):
            scope["path"] = scope["raw_path"].decode("latin-1")
        await self._app(scope, receive, send)


def decode(raw: str) -> str:
    """Decode the name of a raw path; bytes that are not UTF-8 become lone surrogates."""
    return unquote_to_bytes(raw.encode("latin-1")).decode("utf-8", "surrogateescape")


def storable(text: str) -> bool:
    """Return whether ``text`` has neither NUL nor lone surrogates, which no user name has."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def address(name: str, action: str = "") -> str:
    """Return the path of a user's page, or of following and unfollowing them."""
    suffix = f"/{action}" if action else ""
    if name in RESERVED:
        return f"{BY_QUERY}{suffix}?{urlencode({'name': name})}"
    return f"/{quote(name, safe='')}{suffix}"
