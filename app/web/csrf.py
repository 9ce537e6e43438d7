"""Refuses requests that another site made a browser send.

Following and logging out are plain links by contract. Where a browser tells nothing of where a link
was (plain HTTP), the Strict cookie beside the session's says it: see ``cookies``. Clients that are
no browser send none of these headers, but every cookie that they were given.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.web.cookies import Cookies

# "none": typed or bookmarked. "same-site" is refused too: another port of this host is that.
OWN = frozenset(("", "none", "same-origin"))
FOREIGN = "This request came from another site, so nothing was changed."
_PORTS = {"http": ":80", "https": ":443"}


def refuse(request: Request) -> None:
    """Raise a 403 unless the request comes from our own pages or from no page at all."""
    headers = request.headers
    if headers.get("sec-fetch-site", "").lower() not in OWN or _foreign(request):
        raise HTTPException(403, FOREIGN)
    purpose = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')}".lower()
    if "prefetch" in purpose or "prerender" in purpose:
        raise HTTPException(403, "Links that change something are not fetched ahead.")
    if request.method == "HEAD":
        raise HTTPException(405, headers={"Allow": "GET"})


def refuse_link(request: Request, cookies: Cookies) -> None:
    """The same for a plain link that changes something for who is signed in."""
    refuse(request)
    if cookies.token(request) and not cookies.from_own_site(request):
        raise HTTPException(403, FOREIGN)


def _foreign(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        return False
    try:
        scheme, host, *_ = urlsplit(origin.lower())
    except ValueError:
        return True
    # The scheme is not compared: a proxy that ends TLS speaks plain HTTP with us.
    port = _PORTS.get(scheme, "")
    ours = request.headers.get("host", "").lower()
    return not host or host.removesuffix(port) != ours.removesuffix(port)
