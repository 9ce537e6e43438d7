"""Following and unfollowing: plain links by contract, protected against CSRF."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.convertors import USERNAME
from app.web import csrf, names
from app.web.client import Client
from app.web.cookies import Cookies
from app.web.pages import Pages
from app.web.timelines import UNKNOWN_USER

SAID = {
    "follow": 'You are now following "{}"',
    "unfollow": 'You are no longer following "{}"',
}


class Follows:
    """Handlers of ``/{username}/follow`` and ``/{username}/unfollow``."""

    def __init__(self, client: Client, cookies: Cookies, pages: Pages) -> None:
        self._client = client
        self._cookies = cookies
        self._pages = pages

    async def change(self, request: Request) -> Response:
        """Follow or unfollow, by the last segment of the path."""
        csrf.refuse_link(request, self._cookies)
        action = request.scope["path"].rpartition("/")[2]
        token = self._cookies.token(request)
        if token is None:
            raise HTTPException(401, "You have to be signed in to follow someone.")
        raw = request.path_params.get("username")
        name = request.query_params.get("name", "") if raw is None else names.decode(raw)
        if not name or not names.storable(name):
            raise HTTPException(404, UNKNOWN_USER)
        call = self._client.follow if action == "follow" else self._client.unfollow
        await call(token, name)
        return self._pages.redirect(request, names.address(name), SAID[action].format(name))

    def routes(self) -> list[Route]:
        """Return the routes of these handlers."""
        return [
            Route(f"{prefix}/{action}", self.change)
            for prefix in (names.BY_QUERY, f"/{USERNAME}")
            for action in SAID
        ]
