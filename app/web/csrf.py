"""CSRF protection: refuses requests that another site made a browser send.

Following and logging out are plain links by contract. Where a browser sends no Fetch Metadata
(plain HTTP), the Strict cookie beside the session's proves the origin: see ``cookies``. Clients
other than browsers send none of these headers, but every cookie that they were given.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.web.cookies import Cookies

# "none": typed or bookmarked. "same-site" is refused too: it includes other ports of this host.
OWN = frozenset(("", "none", "same-origin"))
FOREIGN = "This request came from another site, so nothing was changed."
_PORTS = {"http": ":80", "https": ":443"}


def refuse(request: Request) -> None:
    """Raise a 403 unless the request comes from our own pages or from none."""
    headers = request.headers
    if headers.get("sec-fetch-site", "").lower() not in OWN or _foreign(request):
        raise HTTPException(403, FOREIGN)
    purpose = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')}".lower()
    if "prefetch" in purpose or "prerender" in purpose:
        raise HTTPException(403, "Links that change something are not fetched ahead.")
    if request.method == "HEAD":
        raise HTTPException(405, headers={"Allow": "GET"})


def refuse_link(request: Request, cookies: Cookies) -> None:
    """Raise a 403 likewise for a link that changes something for a signed-in user."""
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
    # The scheme is not compared: a proxy that terminates TLS forwards plain HTTP.
    port = _PORTS.get(scheme, "")
    ours = request.headers.get("host", "").lower()
    return not host or host.removesuffix(port) != ours.removesuffix(port)
