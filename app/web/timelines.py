"""Timeline pages, and posting."""

from __future__ import annotations

import unicodedata

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.convertors import USERNAME
from app.web import forms, names
from app.web.client import Client, Kind, Timeline
from app.web.cookies import Cookies
from app.web.pages import Pages

UNKNOWN_USER = "There is no user of that name."
NO_PAGE = "This link to older messages is damaged. Start from the newest ones."

# Letters and a symbol without ink: fillers of Hangul, and the empty Braille pattern.
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
# Spaces, control and format characters, surrogates, and marks that need a letter.
_NO_INK = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Mn", "Mc", "Me"))


class Timelines:
    """Handlers of ``/``, ``/public``, ``/{username}`` and ``/add_message``."""

    def __init__(self, client: Client, cookies: Cookies, pages: Pages) -> None:
        self._client = client
        self._cookies = cookies
        self._pages = pages

    async def home(self, request: Request) -> Response:
        """Show the user's own timeline; the public one without a session."""
        return await self._home(request)

    async def public(self, request: Request) -> Response:
        """Show messages of all users."""
        token = self._cookies.token(request)
        return self._show(request, "public", await self._read(request, "public", token))

    async def _read(
        self, request: Request, kind: Kind, token: str | None, name: str = ""
    ) -> Timeline:
        """Return a page of a timeline; turn api's refusals into texts for users."""
        try:
            return await self._client.timeline(kind, token, _before(request), name)
        except HTTPException as error:
            detail = {400: NO_PAGE, 404: UNKNOWN_USER}.get(error.status_code, error.detail)
            raise HTTPException(error.status_code, detail, error.headers) from error

    async def user(self, request: Request) -> Response:
        """Show messages of one user."""
        raw = request.path_params["username"]
        if raw == "add_message":
            raise HTTPException(405, headers={"Allow": "POST"})
        return await self._user(request, names.decode(raw))

    async def user_by_query(self, request: Request) -> Response:
        """Show messages of a user whose name cannot be in a path."""
        return await self._user(request, request.query_params.get("name", ""))

    async def post(self, request: Request) -> Response:
        """Post a message, and return to the page it was written on."""
        token = self._cookies.token(request)
        form = await forms.read(request)
        if token is None:
            raise HTTPException(401)
        text = form.get("text", "")
        back = "/public" if request.query_params.get("from") == "public" else "/"
        if not any(map(visible, text)):
            return self._pages.redirect(request, back, "There was nothing to post")
        try:
            await self._client.post(token, text)
        except HTTPException as error:
            if error.status_code != 400:
                raise
            return await self._home(request, error.detail, text)
        return self._pages.redirect(request, back, "Your message was recorded")

    async def _home(self, request: Request, complaint: str = "", text: str = "") -> Response:
        token = self._cookies.token(request)
        if token is None:
            return self._pages.redirect(request, "/public")
        try:
            timeline = await self._read(request, "home", token)
        except HTTPException as error:
            if error.status_code != 401:
                raise
            response = self._pages.redirect(request, "/public")
            self._cookies.end(request, response)
            return response
        return self._show(request, "home", timeline, complaint, text)

    async def _user(self, request: Request, name: str) -> Response:
        if not name or not names.storable(name):
            raise HTTPException(404, UNKNOWN_USER)
        token = self._cookies.token(request)
        return self._show(request, "user", await self._read(request, "user", token, name))

    def _show(
        self, request: Request, kind: str, timeline: Timeline, complaint: str = "", text: str = ""
    ) -> Response:
        response = self._pages.show(
            request,
            "timeline.html",
            kind=kind,
            viewer=timeline.viewer,
            timeline=timeline,
            paged=bool(_before(request)),
            here=names.address(timeline.profile) if timeline.profile else request.scope["path"],
            error=complaint,
            text=text,
        )
        if token := self._cookies.token(request):
            # Also in the last of several responses: some clients keep only its cookies.
            if timeline.viewer is None:
                self._cookies.end(request, response)
            else:
                self._cookies.start(request, response, token)
        return response

    def routes(self) -> list[Route]:
        """Return the routes in matching order; the last matches every remaining path."""
        return [
            Route("/", self.home),
            Route("/public", self.public),
            Route("/add_message", self.post, methods=["POST"]),
            Route(names.BY_QUERY, self.user_by_query),
            Route(f"/{USERNAME}", self.user),
        ]


def _before(request: Request) -> str:
    return request.query_params.get("before", "") if request.method in ("GET", "HEAD") else ""


def visible(character: str) -> bool:
    """Return whether a character can be seen: neither a space nor without ink."""
    return character not in _BLANK and unicodedata.category(character) not in _NO_INK
