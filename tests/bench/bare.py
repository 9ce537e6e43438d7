"""Bare handlers: Starlette, a pool, and the same SQL. No limits, no telemetry, no care.

What a framework costs at the least; for comparison only.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.database import messages
from app.database.pool import PLANNING
from app.limits import LIST_BYTES
from app.services.accounts import digest

pool = AsyncConnectionPool(
    os.environ["DATABASE_URL"],
    min_size=2,
    max_size=10,
    open=False,
    kwargs={"autocommit": True, "prepare_threshold": 1, "options": PLANNING},
)


async def first(sql: str, parameters: dict[str, Any]) -> Any:
    async with pool.connection() as connection:
        return await (await connection.execute(sql.encode(), parameters)).fetchone()


async def newest(request: Request) -> Response:
    parameters = {"no": int(request.query_params["no"]), "most": LIST_BYTES, "latest": None}
    row = await first(messages.NEWEST.sql, parameters)
    return Response(row[0], media_type="application/json")


async def newest_by(request: Request) -> Response:
    parameters = {
        "username": request.path_params["username"],
        "no": int(request.query_params["no"]),
        "most": LIST_BYTES,
        "latest": None,
    }
    row = await first(messages.NEWEST_BY.sql, parameters)
    return Response(row[1], media_type="application/json")


async def timeline(request: Request) -> Response:
    token = request.headers.get("authorization", "").partition(" ")[2]
    parameters = {
        "token_hash": digest(token),
        "pub_date": messages.FIRST[0],
        "id": messages.FIRST[1],
        "limit": messages.PAGE + 1,
        "username": None,
    }
    row = await first(messages.TIMELINES[request.path_params["kind"]].sql, parameters)
    shown = ",".join(row[3].split("\n")[: messages.PAGE])
    return Response(f"[{shown}]", media_type="application/json")


async def post(request: Request) -> Response:
    body = json.loads(await request.body())
    parameters = {
        "username": request.path_params["username"],
        "text": body["content"],
        "latest": None,
    }
    await first(messages.ADD.sql, parameters)
    return Response(status_code=204)


async def ready(request: Request) -> Response:
    return Response(status_code=200)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    await pool.open(wait=True)
    yield
    await pool.close()


app = Starlette(
    routes=[
        Route("/msgs", newest),
        Route("/msgs/{username}", newest_by),
        Route("/msgs/{username}", post, methods=["POST"]),
        Route("/api/timelines/{kind}", timeline),
        Route("/readyz", ready),
    ],
    lifespan=lifespan,
)

if __name__ == "__main__":
    uvicorn.run(
        app, port=int(os.environ["PORT"]), loop="uvloop", http="httptools", ws="none",
        access_log=False, log_config=None, server_header=False,
    )  # fmt: skip
