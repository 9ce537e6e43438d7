"""Pages for registering, logging in and logging out."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.disconnect import cancel_on_disconnect
from app.problems import ClientClosedRequest
from app.web import csrf, forms
from app.web.client import Client
from app.web.cookies import Cookies
from app.web.pages import Pages
from observability.instrument import context

REGISTERED = "You were successfully registered and can login now"
# A form with an error is an ordinary page (200), by contract, except for throttled log-ins.
RETRY = {400: 200, 401: 200, 429: 429}
SLOW_DOWN = "Too many attempts. Please try again in a while."


class Accounts:
    """Handlers of ``/login``, ``/register`` and ``/logout``."""

    def __init__(self, client: Client, cookies: Cookies, pages: Pages) -> None:
        self._client = client
        self._cookies = cookies
        self._pages = pages

    async def log_in(self, request: Request) -> Response:
        """Start a session."""
        form = await forms.read(request) if request.method == "POST" else None
        if await self._signed_in(request):
            return self._pages.redirect(request, "/")
        if form is None:
            return self._form(request, "login.html")
        username = form.get("username", "")
        client = request.client.host if request.client else ""
        try:
            password = form.get("password", "")
            call = self._client.log_in(username, password, client)
            token = await cancel_on_disconnect(request, call)
        except HTTPException as error:
            return self._again(request, error, "login.html", username=username)
        if await request.is_disconnected():  # the session would never be used
            await self._client.log_out(token)
            raise ClientClosedRequest
        response = self._pages.redirect(request, "/", "You were logged in")
        self._cookies.start(request, response, token)
        return response

    async def register(self, request: Request) -> Response:
        """Add a user."""
        form = await forms.read(request) if request.method == "POST" else None
        if await self._signed_in(request):
            return self._pages.redirect(request, "/")
        if form is None:
            return self._form(request, "register.html")
        typed: dict[str, Any] = {name: form.get(name, "") for name in ("username", "email")}
        if complaint := forms.registration_error(form):
            return self._form(request, "register.html", error=complaint, **typed)
        try:
            call = self._client.register(**typed, password=form["password"])
            await cancel_on_disconnect(request, call)
        except HTTPException as error:
            return self._again(request, error, "register.html", **typed)
        return self._pages.redirect(request, "/login", REGISTERED)

    async def log_out(self, request: Request) -> Response:
        """End the session; if api cannot, keep the cookie and tell the user."""
        csrf.refuse_link(request, self._cookies)
        if token := self._cookies.token(request):
            await self._client.log_out(token)
        response = self._pages.redirect(request, "/public", "You were logged out")
        self._cookies.end(request, response)
        return response

    async def _signed_in(self, request: Request) -> bool:
        token = self._cookies.token(request)
        return bool(token and (await self._client.timeline("public", token)).viewer)

    def _form(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        identity = context.request_id() if status >= 429 else ""
        values = {"error": "", "username": "", "email": "", "request_id": identity, **values}
        response = self._pages.show(request, template, status, **values)
        if self._cookies.token(request):  # expired
            self._cookies.end(request, response)
        return response

    def _again(
        self, request: Request, error: HTTPException, template: str, **typed: str
    ) -> Response:
        """Return the form with the input and the error message."""
        if error.status_code not in RETRY:
            raise error
        complaint = SLOW_DOWN if error.status_code == 429 else error.detail
        status = RETRY[error.status_code]
        response = self._form(request, template, status, error=complaint, **typed)
        response.headers.update(error.headers or {})
        return response

    def routes(self) -> list[Route]:
        """Return the routes of these handlers."""
        return [
            Route("/login", self.log_in, methods=["GET", "POST"]),
            Route("/register", self.register, methods=["GET", "POST"]),
            Route("/logout", self.log_out),
        ]
