"""Parses forms: strictly, and with a maximum size."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.web import csrf
from app.web.names import storable

# The longest message, at twelve bytes a character (percent-encoded), and the other fields.
MAX_BYTES = 160 * 1024
MAX_FIELDS = 20
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
INVALID = "The form is not valid."


async def read(request: Request) -> dict[str, str]:
    """Return the fields of a posted form; the first of each name counts.

    Raises HTTPException: 403 from another site, 413 too large, 415 another type, 400 not UTF-8.
    """
    csrf.refuse(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    pairs = await (_multipart(request) if kind == MULTIPART else _urlencoded(request, kind))
    if not all(storable(value) for _, value in pairs):
        raise HTTPException(400, "The form has characters that cannot be stored.")
    return dict(reversed(pairs))


async def _urlencoded(request: Request, kind: str) -> list[tuple[str, str]]:
    body = await _body(request)
    if body and kind != URLENCODED:
        raise HTTPException(415)
    try:
        return parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise HTTPException(400, INVALID) from None


async def _multipart(request: Request) -> list[tuple[str, str]]:
    """Parse a form as scripts in a browser send it (FormData); files are refused."""
    try:
        form = await request.form(max_files=0, max_fields=MAX_FIELDS, max_part_size=MAX_BYTES)
    except HTTPException as error:
        # Starlette's own text names its parameters.
        raise HTTPException(error.status_code, INVALID) from None
    except UnicodeDecodeError:
        raise HTTPException(400, INVALID) from None
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def registration_error(form: dict[str, str]) -> str | None:
    """Return the first error of a registration that needs no database, or None."""
    return next((complaint for complaint, wrong in _CHECKS.items() if wrong(form)), None)


_CHECKS: dict[str, Callable[[dict[str, str]], bool]] = {
    "You have to enter a username": lambda form: not form.get("username"),
    "You have to enter a valid email address": lambda form: "@" not in form.get("email", ""),
    "You have to enter a password": lambda form: not form.get("password"),
    "The two passwords do not match": lambda form: form["password"] != form.get("password2"),
}


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise HTTPException(413)
    return bytes(body)
