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
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")


class Cookies:
    """Reads and writes the cookies. Behind TLS they are Secure and bound to this host."""

    def __init__(self, secret_key: Secret, secure: bool) -> None:
        prefix = "__Host-" if secure else ""
        self._secure = secure
        self._session = f"{prefix}minitwit_session"
        self._own_site = f"{prefix}minitwit_own_site"
        self._flash = f"{prefix}minitwit_flash"
        self._signer = URLSafeTimedSerializer(secret_key.reveal(), salt="flash")

    def token(self, request: Request) -> str | None:
        """Return the session's token; None if it is absent or malformed."""
        value = request.cookies.get(self._session, "")
        return value if _TOKEN.match(value) else None

    def start(self, response: Response, token: str) -> None:
        """Log in: set the session cookie."""
        self._set(response, self._session, token, SESSION_SECONDS)
        self._set(response, self._own_site, "1", SESSION_SECONDS, "strict")

    def from_own_site(self, request: Request) -> bool:
        """Return whether the request came from one of our pages, by the cookies."""
        return self._own_site in request.cookies

    def end(self, response: Response) -> None:
        """Log out, or delete an expired session's cookie."""
        self._set(response, self._session, "", 0)
        self._set(response, self._own_site, "", 0, "strict")

    def flashes(self, request: Request) -> list[str]:
        """Return the pending flash messages; none if the cookie is forged or expired."""
        try:
            texts = self._signer.loads(request.cookies.get(self._flash, ""), FLASH_SECONDS)
        except BadData:
            return []
        return [str(text) for text in texts]

    def flash(self, request: Request, response: Response, text: str) -> None:
        """Add ``text`` to the flash messages of the next page."""
        texts = [*self.flashes(request), text][-FLASH_LIMIT:]
        self._set(response, self._flash, str(self._signer.dumps(texts)), FLASH_SECONDS)

    def clear_flashes(self, request: Request, response: Response) -> None:
        """Delete the flash messages after they were shown."""
        if self._flash in request.cookies:
            self._set(response, self._flash, "", 0)

    def _set(
        self,
        response: Response,
        name: str,
        value: str,
        seconds: int,
        samesite: Literal["lax", "strict"] = "lax",
    ) -> None:
        response.set_cookie(
            name, value, max_age=seconds, httponly=True, samesite=samesite, secure=self._secure
        )
