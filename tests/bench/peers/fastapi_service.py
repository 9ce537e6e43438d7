"""The simulator's contract in FastAPI, as its documentation shows it.

``PEER=instrumented``: with the stock instrumentation of each library, as theirs shows it:
OpenTelemetry for FastAPI and psycopg, the Prometheus instrumentator, JSON lines of each request.
"""

from __future__ import annotations

import logging.config
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from app.services.passwords import HASHER
from tests.bench import statements
from tests.bench.peers.instrumented import LOGGING, instrument

INSTRUMENTED = os.environ.get("PEER") == "instrumented"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with statements.pool() as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)
security = HTTPBasic()


def database(request: Request) -> AsyncConnectionPool:
    pool: AsyncConnectionPool = request.app.state.pool
    return pool


def simulator(given: Annotated[HTTPBasicCredentials, Depends(security)]) -> None:
    known = secrets.compare_digest(given.username.encode(), b"simulator")
    if not (known and secrets.compare_digest(given.password.encode(), b"super_safe!")):
        raise HTTPException(403, "You are not authorized to use this resource!")


Pool = Annotated[AsyncConnectionPool, Depends(database)]
Limit = Annotated[int, Query(alias="no")]
CLOSED = [Depends(simulator)]


class Registration(BaseModel):
    username: str
    email: str
    pwd: str


class Message(BaseModel):
    content: str


class Change(BaseModel):
    follow: str | None = None
    unfollow: str | None = None


def found(text: str | None) -> Response:
    if text is None:
        raise HTTPException(404, "There is no such user")
    return Response(text, media_type="application/json")


@app.post("/register", status_code=204)
async def register(body: Registration, pool: Pool, latest: int | None = None) -> None:
    pw_hash = await run_in_threadpool(HASHER.hash, body.pwd)
    if not await statements.register(pool, body.username, body.email, pw_hash, latest):
        raise HTTPException(400, "The username is already taken")


@app.get("/msgs", dependencies=CLOSED)
async def newest(pool: Pool, no: Limit = 100, latest: int | None = None) -> Response:
    return found(await statements.newest(pool, no, latest))


@app.get("/msgs/{username}", dependencies=CLOSED)
async def newest_by(
    username: str, pool: Pool, no: Limit = 100, latest: int | None = None
) -> Response:
    return found(await statements.newest_by(pool, username, no, latest))


@app.post("/msgs/{username}", dependencies=CLOSED, status_code=204)
async def post(username: str, body: Message, pool: Pool, latest: int | None = None) -> None:
    if not await statements.post(pool, username, body.content, latest):
        raise HTTPException(404, "There is no such user")


@app.get("/fllws/{username}", dependencies=CLOSED)
async def follows(
    username: str, pool: Pool, no: Limit = 100, latest: int | None = None
) -> Response:
    return found(await statements.followed(pool, username, no, latest))


@app.post("/fllws/{username}", dependencies=CLOSED, status_code=204)
async def change(username: str, body: Change, pool: Pool, latest: int | None = None) -> None:
    if body.follow:
        known = await statements.change(pool, "follow", username, body.follow, latest)
    else:
        known = await statements.change(pool, "unfollow", username, body.unfollow or "", latest)
    if not known:
        raise HTTPException(404, "There is no such user")


@app.get("/latest")
async def latest_id(pool: Pool) -> dict[str, int]:
    return {"latest": await statements.latest_id(pool)}


@app.get("/readyz")
async def ready() -> None:
    """For the start alone."""


if __name__ == "__main__":
    if INSTRUMENTED:
        instrument(app)
        logging.config.dictConfig(LOGGING)
    uvicorn.run(
        app, port=int(os.environ["PORT"]), log_config=None, access_log=INSTRUMENTED,
    )  # fmt: skip
