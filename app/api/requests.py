"""Reading requests: leniently where the contract asks for it, never with a 500."""

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
    """``?no=``: how many list entries are wanted, 100 where it is no number.

    A negative one means all, as it does to the reference server, and all is ``MAX_NO`` at most.
    """
    raw = _query(request).get("no", "")
    wanted = int(raw) if _WHOLE.match(raw) else DEFAULT_NO
    return wanted if 0 <= wanted <= MAX_NO else MAX_NO


def latest(request: Request) -> int | None:
    """``?latest=``: the simulator's action; None where it is absent, negative or no number."""
    raw = _query(request).get("latest", "")
    value = int(raw) if _WHOLE.match(raw) else -1
    return value if 0 <= value < _LATEST_LIMIT else None


def before(request: Request) -> tuple[int, int]:
    """``?before=``: the cursor of an earlier page. Raises Invalid if it was not made here."""
    raw = _query(request).get("before", "")
    if not raw:
        return FIRST
    pub_date, _, number = raw.partition(".")
    if not (_WHOLE.match(pub_date) and _WHOLE.match(number)):
        raise Invalid("'before' is no cursor of this service")
    if abs(int(pub_date)) >= _LATEST_LIMIT or abs(int(number)) >= _LATEST_LIMIT:
        raise Invalid("'before' is no cursor of this service")
    return int(pub_date), int(number)


async def body(request: Request) -> dict[str, Any]:
    """The body as a JSON object, whatever its content type. Raises Invalid or TooLarge."""
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
    """The session token that the web service presents, if any."""
    scheme, _, token = authorization(request).decode("latin-1").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def authorization(request: Request) -> bytes:
    """The header of that name; empty where there is none."""
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            return bytes(value)
    return b""


def _query(request: Request) -> dict[str, str]:
    """The parameters of the query, parsed once; of those that come twice, the last."""
    scope = request.scope
    if "query" not in scope:
        text = scope["query_string"].decode("latin-1")
        scope["query"] = dict(parse_qsl(text, keep_blank_values=True)) if text else {}
    found: dict[str, str] = scope["query"]
    return found
