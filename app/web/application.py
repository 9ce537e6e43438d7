"""Assembles the web service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from app.problems import Problem
from app.settings import WebSettings
from app.web import avatars, static
from app.web.accounts import Accounts
from app.web.client import Client
from app.web.cookies import Cookies
from app.web.follows import Follows
from app.web.names import UndecodedPath
from app.web.pages import Pages
from app.web.timelines import Timelines
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter


def create(settings: WebSettings, meter: Meter, log: Log) -> Starlette:
    """Return the application, without its instrumentation."""
    client = Client(settings.api_url, settings.page_timeout, meter, log)
    cookies = Cookies(settings.secret_key, settings.secure_cookies)
    pages = Pages(cookies)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await client.open()
        try:
            yield
        finally:
            await client.close()

    routes = [
        *Accounts(client, cookies, pages).routes(),
        *Follows(client, cookies, pages).routes(),  # before files: "static" may be a name
        Route("/favicon.ico", static.icon),
        Route("/static/{name}", static.show),
        Route("/avatar/{key}.svg", avatars.show),
        *Timelines(client, cookies, pages).routes(),  # last: they match every path
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(UndecodedPath)],
        exception_handlers={
            HTTPException: pages.error,
            Problem: pages.error,
            Exception: pages.error,
        },
    )
