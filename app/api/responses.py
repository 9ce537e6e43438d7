"""Responses: JSON built by the database, empty successes, and errors of one fixed shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.problems import Problem
from observability.instrument import context


def built(json_text: str) -> Response:
    """Return JSON text unchanged."""
    return Response(json_text, media_type="application/json")


def done() -> Response:
    """Return an empty 204."""
    return Response(status_code=204)


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return ``{"status": …, "error_msg": …, "request_id": …}``."""
    body = {
        "status": status,
        "error_msg": message,
        "request_id": context.request_id(),
    }
    return JSONResponse(body, status, headers)


async def on_problem(request: Request, problem: Problem) -> Response:
    """Turn one of our own exceptions into a response."""
    context.failed(problem)
    return _refused(problem.status, problem.message, problem.headers)


async def on_refusal(request: Request, refusal: HTTPException) -> Response:
    """Turn one of Starlette's exceptions into a response: unknown path, wrong method."""
    return _refused(refusal.status_code, refusal.detail, refusal.headers)


async def on_failure(request: Request, failure: Exception) -> Response:
    """Turn an unexpected exception into a 500; the middleware logs it."""
    context.failed(failure)
    return error(500, Problem.default)


HANDLERS: dict[Any, Any] = {
    Problem: on_problem, HTTPException: on_refusal, Exception: on_failure,
}  # fmt: skip


def _refused(status: int, message: str, headers: Mapping[str, str] | None) -> Response:
    context.note(reason=message)
    return error(status, message, headers)
