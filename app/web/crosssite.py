"""Refuses requests that another site made a browser send.

Following and logging out are plain links by contract, so SameSite cookies alone do not protect
them. Clients that are no browser send none of these headers and pass.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

# "none": typed or bookmarked. "same-site" is refused too: another port of this host is that.
OWN = frozenset(("", "none", "same-origin"))
_PORTS = {"http": ":80", "https": ":443"}


def refuse(request: Request) -> None:
    """Raise a 403 unless the request comes from our own pages or from no page at all."""
    headers = request.headers
    if headers.get("sec-fetch-site", "").lower() not in OWN or _foreign(request):
        raise HTTPException(403, "This request came from another site, so nothing was changed.")
    purpose = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')}".lower()
    if "prefetch" in purpose or "prerender" in purpose:
        raise HTTPException(403, "Links that change something are not fetched ahead.")
    if request.method == "HEAD":
        raise HTTPException(405, headers={"Allow": "GET"})


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
