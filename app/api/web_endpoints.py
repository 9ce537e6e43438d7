"""The endpoints of the web service: sessions, timelines, and actions of a signed-in user."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api import openapi, requests, responses
from app.api.routing import resource
from app.convertors import USERNAME
from app.database import messages
from app.database.follows import Action
from app.database.pool import Database
from app.disconnect import cancel_on_disconnect
from app.problems import ClientClosedRequest, NotFound, Problem, Unauthorized
from app.services import validation
from app.services.accounts import Accounts, digest
from app.services.following import Following
from app.services.posting import Posting


class WebEndpoints:
    """Handlers below ``/api``."""

    def __init__(
        self, database: Database, accounts: Accounts, posting: Posting, following: Following
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._posting = posting
        self._following = following

    def routes(self) -> list[Route]:
        """Return the routes of these handlers."""
        at = partial(resource, admit=self._database.admit)
        return [
            at("/api/openapi.json", get=self.openapi),
            at("/api/sessions", post=self.log_in),
            at("/api/session", delete=self.log_out),
            at("/api/timelines/public", get=self.public),
            at("/api/timelines/home", get=self.home),
            at(f"/api/timelines/user/{USERNAME}", get=self.user),
            at("/api/messages", post=self.post),
            at(f"/api/follows/{USERNAME}", put=self.follow, delete=self.unfollow),
        ]

    async def openapi(self, request: Request) -> Response:
        """Return the OpenAPI document of the whole API."""
        return JSONResponse(openapi.DOCUMENT)

    async def log_in(self, request: Request) -> Response:
        """Start a session."""
        body = await requests.body(request)
        address = request.client.host if request.client else ""
        credentials = (body.get("username"), body.get("password"))
        token = await cancel_on_disconnect(request, self._accounts.log_in(*credentials, address))
        if await request.is_disconnected():
            await self._accounts.log_out(token)
            raise ClientClosedRequest
        return JSONResponse({"token": token, "username": body["username"]})

    async def log_out(self, request: Request) -> Response:
        """End a session."""
        await self._accounts.log_out(requests.bearer(request))
        return responses.done()

    async def public(self, request: Request) -> Response:
        """Return messages of all users."""
        return await self._timeline(request, "public", NotFound())

    async def home(self, request: Request) -> Response:
        """Return messages of the signed-in user and of those they follow."""
        return await self._timeline(request, "home", Unauthorized())

    async def user(self, request: Request) -> Response:
        """Return messages of one user."""
        username, unknown = request.path_params["username"], NotFound()
        if not validation.name(username):
            raise unknown
        return await self._timeline(request, "user", unknown, username)

    async def post(self, request: Request) -> Response:
        """Post a message."""
        username = await self._accounts.session_user(requests.bearer(request))
        body = await requests.body(request)
        await self._posting.post(username, body.get("text"))
        return responses.done()

    async def follow(self, request: Request) -> Response:
        """Follow someone."""
        return await self._change("follow", request)

    async def unfollow(self, request: Request) -> Response:
        """Unfollow someone."""
        return await self._change("unfollow", request)

    async def _change(self, action: Action, request: Request) -> Response:
        username = await self._accounts.session_user(requests.bearer(request))
        await self._following.change(action, username, request.path_params["username"])
        return responses.done()

    async def _timeline(
        self, request: Request, kind: str, missing: Problem, username: str | None = None
    ) -> Response:
        """Return a page of a timeline; raise ``missing`` if it belongs to no one."""
        token = requests.bearer(request)
        token_hash = digest(token) if token else None
        before = requests.before(request)
        page = await messages.timeline(self._database, kind, token_hash, before, username)
        if page is None:
            raise missing
        return responses.built(page)
