"""The preview's server: its page, the dashboards, and read-only queries to data sources."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

BOARDS = Path(__file__).parents[1] / "generated"
STATIC = Path(__file__).parent / "static"
HOSTS = ["127.0.0.1", "localhost"]  # another name in Host is a page that was led here
TIMEOUT = aiohttp.ClientTimeout(total=30, connect=2)
# All that a dashboard may ask: nothing here writes, deletes or configures.
QUERIES = {
    ("prometheus", "query"): "/api/v1/query",
    ("prometheus", "query_range"): "/api/v1/query_range",
    ("prometheus", "series"): "/api/v1/series",
    ("loki", "query"): "/loki/api/v1/query",
    ("loki", "query_range"): "/loki/api/v1/query_range",
}
UID = re.compile(r"[a-z0-9-]+\Z")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"
)
HEADERS = {"content-security-policy": POLICY, "x-frame-options": "DENY"}


def create(sources: Mapping[str, str], boards: Path = BOARDS) -> Starlette:
    """Return the preview of the dashboards in ``boards``.

    ``sources`` has the base URLs of ``prometheus``, ``loki`` and ``grafana``, '' for one that does
    not run. A URL may contain credentials; they never reach the page.
    """

    async def page(_: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers=HEADERS)

    def index(_: Request) -> Response:
        found = [json.loads(file.read_text(encoding="utf-8")) for file in boards.glob("*.json")]
        titles = {one["uid"]: one["title"] for one in sorted(found, key=lambda one: one["title"])}
        there = {"grafana": sources["grafana"], "loki": bool(sources["loki"])}
        return JSONResponse({"boards": titles, **there})

    def board(request: Request) -> Response:
        file = boards / f"{request.path_params['uid']}.json"
        if not UID.match(request.path_params["uid"]) or not file.is_file():
            raise HTTPException(404, "No dashboard has this uid.")
        return FileResponse(file)

    def linked(request: Request) -> Response:
        return RedirectResponse(f"/#board={request.path_params['uid']}")  # Grafana's address

    async def query(request: Request) -> Response:
        kind = request.path_params["source"]
        path = QUERIES.get((kind, request.path_params["query"]))
        if path is None:
            raise HTTPException(404, "The preview does not pass on this query.")
        if not sources[kind]:
            return _error(503, f"No {kind.capitalize()} runs here.")
        return await _ask(request, sources[kind] + path)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/boards", index),
            Route("/boards/{uid}", board),
            Route("/d/{uid}", linked),
            Route("/data/{source}/{query}", query),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
        lifespan=_lifespan,
    )


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        app.state.session = session
        yield


async def _ask(request: Request, url: str) -> Response:
    """Return the unchanged response of a data source; 502 if there is none."""
    parameters = request.query_params.multi_items()
    try:
        async with request.app.state.session.get(url, params=parameters) as answer:
            body, kind = await answer.read(), answer.content_type
    except (aiohttp.ClientError, TimeoutError) as error:
        return _error(502, f"No answer: {type(error).__name__}")
    if kind != "application/json":  # Loki writes its errors as plain text
        return _error(answer.status, body.decode(errors="replace").strip()[:500])
    return Response(body, answer.status, media_type=kind)


def _error(status: int, text: str) -> Response:
    """Return an error in the format of Prometheus' API."""
    return JSONResponse({"status": "error", "error": text}, status)
