"""The cookies: the session's opaque token, proof of our own site, and signed flash messages.

Following and logging out are plain links by contract. Browsers send the session's cookie with a
link from another site (SameSite=Lax), so these links ask for a second cookie too, which browsers
send from our own pages only (SameSite=Strict): also over plain HTTP, where they send no Fetch
Metadata. It is set in the same answers as the session.
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
FLASH_LIMIT = 3  # with the longest names, still below the 4 KB that a browser keeps
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")


class Cookies:
    """Reads and writes them. Behind TLS they are Secure and bound to this very host."""

    def __init__(self, secret_key: Secret, secure: bool) -> None:
        prefix = "__Host-" if secure else ""
        self._secure = secure
        self._session = f"{prefix}minitwit_session"
        self._own_site = f"{prefix}minitwit_own_site"
        self._flash = f"{prefix}minitwit_flash"
        self._signer = URLSafeTimedSerializer(secret_key.reveal(), salt="flash")

    def token(self, request: Request) -> str | None:
        """The session's token; None if there is none or it cannot be one."""
        value = request.cookies.get(self._session, "")
        return value if _TOKEN.match(value) else None

    def start(self, response: Response, token: str) -> None:
        """Log in: the browser keeps the token."""
        self._set(response, self._session, token, SESSION_SECONDS)
        self._set(response, self._own_site, "1", SESSION_SECONDS, "strict")

    def from_own_site(self, request: Request) -> bool:
        """Whether a page of ours led here, as far as cookies tell."""
        return self._own_site in request.cookies

    def end(self, response: Response) -> None:
        """Log out, or forget a token that is stale."""
        self._set(response, self._session, "", 0)
        self._set(response, self._own_site, "", 0, "strict")

    def flashes(self, request: Request) -> list[str]:
        """What the next page is to say; nothing if the cookie was tampered with or is old."""
        try:
            texts = self._signer.loads(request.cookies.get(self._flash, ""), FLASH_SECONDS)
        except BadData:
            return []
        return [str(text) for text in texts]

    def flash(self, request: Request, response: Response, text: str) -> None:
        """Say ``text`` on the next page, after what is already waiting."""
        texts = [*self.flashes(request), text][-FLASH_LIMIT:]
        self._set(response, self._flash, str(self._signer.dumps(texts)), FLASH_SECONDS)

    def clear_flashes(self, request: Request, response: Response) -> None:
        """They were said."""
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
