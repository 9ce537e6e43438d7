"""HTML responses: pages, redirects and error pages."""

from __future__ import annotations

import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.problems import Problem
from app.web import avatars, dates, headers, names, static
from app.web.cookies import Cookies
from observability.instrument import context

TEMPLATES = Path(__file__).parents[1] / "templates"
# status: (title, text unless the exception has its own)
ERRORS = {
    400: ("That did not work", "The request could not be understood."),
    401: ("Please sign in", "You have to be signed in to do that."),
    403: ("Not allowed", "This request was refused."),
    404: ("Not found", "There is no such page."),
    405: ("That is not possible here", "This address does not take that kind of request."),
    413: ("Too large", "That is more than a form here can hold."),
    415: ("Unknown format", "Only ordinary forms are understood here."),
    429: ("Slow down, please", "There were too many attempts. Please try again in a while."),
    499: ("Given up", "The browser closed the connection."),
    500: ("Something broke", "The fault is ours, and it has been noted."),
    503: ("Back in a moment", "MiniTwit cannot answer right now. Please try again shortly."),
}


class Pages:
    """Renders templates, with the pending flash messages."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "user_path": names.address,
            "avatar": avatars.address,
            "static": static.address,
            "moment": dates.moment,
            "relative": dates.relative,
        }

    def show(
        self, request: Request, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Return a page. ``viewer`` among the values is the signed-in user's name, if known."""
        values = {"viewer": None, "signed_in": bool(values.get("viewer")), **values}
        html = self._templates.get_template(template).render(
            path=request.scope["path"],
            flashes=self._cookies.flashes(request),
            now=time.time(),
            **values,
        )
        response = HTMLResponse(html, status, headers.PAGE)
        self._cookies.clear_flashes(request, response)
        return response

    def redirect(self, request: Request, path: str, flash: str = "") -> Response:
        """Redirect the browser to ``path``, which shows ``flash``."""
        response = RedirectResponse(path, 302, headers.PAGE)
        if flash:
            self._cookies.flash(request, response, flash)
        return response

    async def error(self, request: Request, error: Exception) -> Response:
        """Return the page of an exception: its status, a plain sentence and the request id."""
        context.failed(error)
        status, said, extra = _describe(error)
        title, usual = ERRORS.get(status) or (HTTPStatus(status).phrase, "")
        token = self._cookies.token(request)
        response = self.show(
            request,
            "error.html",
            status,
            signed_in=bool(token) and status != 401,
            code=status,
            title=title,
            sentence=said or usual,
            request_id=context.request_id(),
        )
        response.headers.update(extra)
        if status == 401 and token:
            self._cookies.end(request, response)
        return response


def _describe(error: Exception) -> tuple[int, str, dict[str, str]]:
    """Return status, a text for users if there is one, and headers of an exception."""
    if isinstance(error, HTTPException):
        usual = error.detail == HTTPStatus(error.status_code).phrase
        return error.status_code, "" if usual else error.detail, dict(error.headers or {})
    if isinstance(error, Problem):
        return error.status, "", error.headers
    return 500, "", {}
