"""Answers: JSON as the database built it, empty successes, and errors in one pinned shape."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from app.problems import Problem
from observability.instrument import context


def built(json_text: str) -> Response:
    """JSON text passed on as it is."""
    return Response(json_text, media_type="application/json")


def done() -> Response:
    """204, empty."""
    return Response(status_code=204)


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """``{"status": …, "error_msg": …, "request_id": …}``."""
    body = {
        "status": status,
        "error_msg": message,
        "request_id": context.request_id(),
    }
    return JSONResponse(body, status, headers)


def problem(found: Problem) -> Response:
    """The answer to one of our own exceptions."""
    return _refused(found.status, found.message, found.headers)


def refused(found: HTTPException) -> Response:
    """The answer to one of Starlette's: unknown path, wrong method."""
    return _refused(found.status_code, found.detail, found.headers)


def _refused(status: int, message: str, headers: Mapping[str, str] | None) -> Response:
    context.note(reason=message)
    return error(status, message, headers)
