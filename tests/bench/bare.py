"""The contract in plain Starlette and psycopg, for comparison: no limits, no telemetry.

It shows the minimum that framework and driver cost with the same SQL.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.services.passwords import HASHER
from tests.bench import statements

pool = statements.pool()


def _latest(request: Request) -> int | None:
    text = request.query_params.get("latest")
    return int(text) if text else None


def _answer(found: str | None) -> Response:
    return Response(found, 404 if found is None else 200, media_type="application/json")


def _done(good: bool, otherwise: int = 404) -> Response:
    return Response(status_code=204 if good else otherwise)


async def newest(request: Request) -> Response:
    no = int(request.query_params.get("no", 100))
    return _answer(await statements.newest(pool, no, _latest(request)))


async def newest_by(request: Request) -> Response:
    name, no = request.path_params["username"], int(request.query_params.get("no", 100))
    return _answer(await statements.newest_by(pool, name, no, _latest(request)))


async def follows(request: Request) -> Response:
    name, no = request.path_params["username"], int(request.query_params.get("no", 100))
    return _answer(await statements.followed(pool, name, no, _latest(request)))


async def timeline(request: Request) -> Response:
    token = request.headers.get("authorization", "").partition(" ")[2]
    return _answer(await statements.timeline(pool, request.path_params["kind"], token))


async def post(request: Request) -> Response:
    name, body = request.path_params["username"], json.loads(await request.body())
    return _done(await statements.post(pool, name, body["content"], _latest(request)))


async def change(request: Request) -> Response:
    name, body = request.path_params["username"], json.loads(await request.body())
    for action in statements.ACTIONS:
        if action in body:
            known = await statements.change(pool, action, name, body[action], _latest(request))
            return _done(known)
    return _done(False, 400)


async def register(request: Request) -> Response:
    body = json.loads(await request.body())
    pw_hash = await run_in_threadpool(HASHER.hash, body["pwd"])
    person = body["username"], body["email"], pw_hash
    return _done(await statements.register(pool, *person, _latest(request)), 400)


async def latest(request: Request) -> Response:
    return JSONResponse({"latest": await statements.latest_id(pool)})


async def ready(request: Request) -> Response:
    return Response(status_code=200)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with pool:
        await pool.wait()
        yield


app = Starlette(
    routes=[
        Route("/latest", latest),
        Route("/register", register, methods=["POST"]),
        Route("/msgs", newest),
        Route("/msgs/{username}", newest_by),
        Route("/msgs/{username}", post, methods=["POST"]),
        Route("/fllws/{username}", follows),
        Route("/fllws/{username}", change, methods=["POST"]),
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
