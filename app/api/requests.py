"""Parses requests: lenient where the contract requires it, and never with a 500."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from app.database.messages import FIRST
from app.problems import Invalid, TooLarge

DEFAULT_NO = 100
MAX_NO = 10_000
MAX_BODY_BYTES = 64 * 1024
_WHOLE = re.compile(r"-?[0-9]{1,40}\Z")
_LATEST_LIMIT = 2**63


def no(request: Request) -> int:
    """Return ``?no=``, the number of list entries wanted; 100 if it is no number.

    A negative number means all, as on the reference server; ``MAX_NO`` is the maximum.
    """
    raw = _query(request).get("no", "")
    wanted = int(raw) if _WHOLE.match(raw) else DEFAULT_NO
    return wanted if 0 <= wanted <= MAX_NO else MAX_NO


def latest(request: Request) -> int | None:
    """Return ``?latest=``, the simulator's action id; None if absent, negative or no number."""
    raw = _query(request).get("latest", "")
    value = int(raw) if _WHOLE.match(raw) else -1
    return value if 0 <= value < _LATEST_LIMIT else None


def before(request: Request) -> tuple[int, int]:
    """Return ``?before=``, the cursor of an earlier page. Raises Invalid if it is malformed."""
    raw = _query(request).get("before", "")
    if not raw:
        return FIRST
    pub_date, _, number = raw.partition(".")
    if not (_WHOLE.match(pub_date) and _WHOLE.match(number)):
        raise Invalid("'before' is not a cursor of this service")
    if abs(int(pub_date)) >= _LATEST_LIMIT or abs(int(number)) >= _LATEST_LIMIT:
        raise Invalid("'before' is not a cursor of this service")
    return int(pub_date), int(number)


async def body(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object, whatever its content type. Raises Invalid or TooLarge."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY_BYTES:
            raise TooLarge
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        raise Invalid("The body must be a JSON object") from None
    if not isinstance(parsed, dict):
        raise Invalid("The body must be a JSON object")
    return parsed


def bearer(request: Request) -> str | None:
    """Return the session token that the web service sends, if any."""
    scheme, _, token = authorization(request).decode("latin-1").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def authorization(request: Request) -> bytes:
    """Return the Authorization header; empty if absent."""
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            return bytes(value)
    return b""


def _query(request: Request) -> dict[str, str]:
    """Return the query parameters, parsed once; the last of repeated ones counts."""
    scope = request.scope
    if "query" not in scope:
        text = scope["query_string"].decode("latin-1")
        scope["query"] = dict(parse_qsl(text, keep_blank_values=True)) if text else {}
    found: dict[str, str] = scope["query"]
    return found
