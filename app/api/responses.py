"""Answers: JSON as the database built it, empty successes, and errors in one pinned shape."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.problems import Problem
from observability import context


def built(json_text: str) -> Response:
    """JSON text passed on as it is."""
    return Response(json_text, media_type="application/json")


def done() -> Response:
    """204, empty."""
    return Response(status_code=204)


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """``{"status": …, "error_msg": …, "request_id": …}``."""
    request = context.current()
    body = {
        "status": status,
        "error_msg": message,
        "request_id": request.request_id if request else "",
    }
    return JSONResponse(body, status, headers)


async def problem(request: Request, exc: Exception) -> Response:
    """The answer to one of our own exceptions."""
    if not isinstance(exc, Problem):
        raise exc
    return _refused(exc.status, exc.message, exc.headers)


async def http(request: Request, exc: Exception) -> Response:
    """The answer to one of Starlette's: unknown route, wrong method, body too large."""
    if not isinstance(exc, HTTPException):
        raise exc
    return _refused(exc.status_code, exc.detail, exc.headers)


async def unexpected(request: Request, exc: Exception) -> Response:
    """The answer to a defect: the outermost layer logs it, the client learns nothing of it."""
    return error(500, Problem.default)


def _refused(status: int, message: str, headers: Mapping[str, str] | None) -> Response:
    context.note(reason=message)
    return error(status, message, headers)
