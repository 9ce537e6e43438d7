"""The cookies: session token, proof of a same-site link, and signed flash messages.

Following and logging out are plain links by contract. Browsers send the session's cookie with a
link from another site (SameSite=Lax), so these links require a second cookie, which browsers send
from our own pages only (SameSite=Strict): also over plain HTTP, where they send no Fetch Metadata.
It is set in the same responses as the session.
"""

from __future__ import annotations

import re
from typing import Literal

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from app.settings import Secret

SESSION_SECONDS = 30 * 24 * 3600  # as long as api keeps a session
FLASH_SECONDS = 300
FLASH_LIMIT = 3  # with the longest names still below the 4 KB of a cookie
SESSION, OWN_SITE, FLASH = "minitwit_session", "minitwit_own_site", "minitwit_flash"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")


class Cookies:
    """Reads and writes the cookies.

    A request over TLS, as a trusted proxy tells it, has cookies of its own: Secure, and by their
    name (``__Host-``) of this very host. What plain HTTP can plant or read is not among them.
    """

    def __init__(self, secret_key: Secret, always_secure: bool) -> None:
        self._always_secure = always_secure
        self._signer = URLSafeTimedSerializer(secret_key.reveal(), salt="flash")

    def token(self, request: Request) -> str | None:
        """Return the session's token; None if it is absent or malformed."""
        value = self._get(request, SESSION)
        return value if _TOKEN.match(value) else None

    def start(self, request: Request, response: Response, token: str) -> None:
        """Log in: set the session cookie."""
        self._set(request, response, SESSION, token, SESSION_SECONDS)
        self._set(request, response, OWN_SITE, "1", SESSION_SECONDS, "strict")

    def from_own_site(self, request: Request) -> bool:
        """Return whether the request came from one of our pages, by the cookies."""
        return self._get(request, OWN_SITE) != ""

    def end(self, request: Request, response: Response) -> None:
        """Log out, or delete an expired session's cookie."""
        self._set(request, response, SESSION, "", 0)
        self._set(request, response, OWN_SITE, "", 0, "strict")

    def flashes(self, request: Request) -> list[str]:
        """Return the pending flash messages; none if the cookie is forged or expired."""
        try:
            texts = self._signer.loads(self._get(request, FLASH), FLASH_SECONDS)
        except BadData:
            return []
        return [str(text) for text in texts]

    def flash(self, request: Request, response: Response, text: str) -> None:
        """Add ``text`` to the flash messages of the next page."""
        texts = [*self.flashes(request), text][-FLASH_LIMIT:]
        self._set(request, response, FLASH, str(self._signer.dumps(texts)), FLASH_SECONDS)

    def clear_flashes(self, request: Request, response: Response) -> None:
        """Delete the flash messages after they were shown."""
        if self._get(request, FLASH):
            self._set(request, response, FLASH, "", 0)

    def _secure(self, request: Request) -> bool:
        return self._always_secure or request.url.scheme == "https"

    def _name(self, request: Request, name: str) -> str:
        return f"__Host-{name}" if self._secure(request) else name

    def _get(self, request: Request, name: str) -> str:
        return request.cookies.get(self._name(request, name), "")

    def _set(
        self,
        request: Request,
        response: Response,
        name: str,
        value: str,
        seconds: int,
        samesite: Literal["lax", "strict"] = "lax",
    ) -> None:
        response.set_cookie(
            self._name(request, name),
            value,
            max_age=seconds,
            httponly=True,
            samesite=samesite,
            secure=self._secure(request),
        )
