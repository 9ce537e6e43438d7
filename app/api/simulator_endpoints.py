"""The simulator's contract: ``latest`` is recorded whatever the outcome of the request."""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import deadline
from app.api import requests, responses
from app.api.routing import resource
from app.convertors import USERNAME
from app.database import follows, latest, messages
from app.database.lines import Size
from app.database.pool import Database
from app.disconnect import cancel_on_disconnect
from app.problems import Forbidden, Invalid, NotFound, Problem, Unavailable
from app.services import validation
from app.services.accounts import Accounts
from app.services.following import Following
from app.services.posting import Posting
from app.settings import ApiSettings
from observability import catalog
from observability.instrument.metrics import Meter

Handler = Callable[[Request, int | None], Awaitable[Response]]


class SimulatorEndpoints:
    """Handlers of ``/latest /register /msgs /fllws``."""

    def __init__(
        self,
        settings: ApiSettings,
        database: Database,
        accounts: Accounts,
        posting: Posting,
        following: Following,
        meter: Meter,
    ) -> None:
        credentials = f"{settings.simulator_user}:{settings.simulator_password.reveal()}"
        self._authorization = b"Basic " + b64encode(credentials.encode())
        self._list_bytes = settings.list_bytes
        self._register_timeout = settings.register_timeout
        self._database = database
        self._accounts = accounts
        self._posting = posting
        self._following = following
        self._meter = meter

    def routes(self) -> list[Route]:
        """Return the routes of these handlers."""
        at = partial(resource, admit=self._database.admit)
        public, protected = self._recorded, self._authorized
        user = f"/{USERNAME}"
        return [
            at("/latest", get=self.latest),
            at("/register", post=public(self.register)),
            at("/msgs", get=protected(self.newest)),
            at("/msgs" + user, get=protected(self.newest_by), post=protected(self.post)),
            at("/fllws" + user, get=protected(self.follows), post=protected(self.follow)),
        ]

    async def latest(self, request: Request) -> Response:
        """Return the id recorded last; -1 before any."""
        return JSONResponse({"latest": await latest.read(self._database)})

    async def register(self, request: Request, latest_id: int | None) -> Response:
        """Register a user."""
        deadline.begin(self._register_timeout)
        body = await requests.body(request)
        credentials = (body.get("username"), body.get("email"), body.get("pwd"))
        await cancel_on_disconnect(request, self._accounts.register(*credentials, latest_id))
        return responses.done()

    async def newest(self, request: Request, latest_id: int | None) -> Response:
        """Return the newest messages of all users."""
        return responses.built(
            await messages.newest(self._database, self._size(request), latest_id)
        )

    async def newest_by(self, request: Request, latest_id: int | None) -> Response:
        """Return the newest messages of one user."""
        return await self._list(messages.newest_by, request, latest_id)

    async def follows(self, request: Request, latest_id: int | None) -> Response:
        """Return the names of the users that a user follows."""
        return await self._list(follows.names, request, latest_id)

    async def post(self, request: Request, latest_id: int | None) -> Response:
        """Post a message."""
        body = await requests.body(request)
        await self._posting.post(request.path_params["username"], body.get("content"), latest_id)
        return responses.done()

    async def follow(self, request: Request, latest_id: int | None) -> Response:
        """Follow or unfollow someone."""
        body = await requests.body(request)
        for action in _ACTIONS:
            if isinstance(target := body.get(action), str):
                username = request.path_params["username"]
                await self._following.change(action, username, target, latest_id)
                return responses.done()
        raise Invalid("The body must name a user to follow or unfollow")

    async def _list(
        self,
        read: Callable[[Database, str, Size, int | None], Awaitable[str | None]],
        request: Request,
        latest_id: int | None,
    ) -> Response:
        username = request.path_params["username"]
        found = None
        if validation.name(username):
            found = await read(self._database, username, self._size(request), latest_id)
        if found is None:
            raise NotFound
        return responses.built(found)

    def _size(self, request: Request) -> Size:
        return {"no": requests.no(request), "most": self._list_bytes}

    def _authorized(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def checked(request: Request, latest_id: int | None) -> Response:
            if not hmac.compare_digest(requests.authorization(request), self._authorization):
                raise Forbidden
            return await handler(request, latest_id)

        return self._recorded(checked)

    def _recorded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def recorded(request: Request) -> Response:
            latest_id = requests.latest(request)
            try:
                response = await handler(request, latest_id)
            except Unavailable:
                raise
            except Problem:
                await latest.record(self._database, latest_id)
                self._note(latest_id)
                raise
            self._note(latest_id)
            return response

        return recorded

    def _note(self, latest_id: int | None) -> None:
        if latest_id is not None:
            self._meter.set(catalog.SIMULATOR_LATEST, latest_id)
            self._meter.set(catalog.SIMULATOR_LATEST_TIME, time.time())


_ACTIONS: tuple[follows.Action, ...] = ("follow", "unfollow")
