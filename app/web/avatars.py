"""Generated avatars: a symmetric pattern of five by five squares, derived from the name."""

from __future__ import annotations

import hashlib
import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.web.headers import IMMUTABLE, SECURITY

DIGITS = 16
_KEY = re.compile(rf"[0-9a-f]{{{DIGITS}}}\Z")


def address(name: str) -> str:
    """Return the URL of a name's avatar; it does not contain the name."""
    return f"/avatar/{hashlib.sha256(name.encode()).hexdigest()[:DIGITS]}.svg"


def draw(key: str) -> str:
    """Draw the picture of 16 hexadecimal digits, as SVG."""
    bits = int(key, 16)
    hue = bits >> 48 & 0x1FF
    cells = [
        f"M{x} {y}h1v1h-1z"
        for y in range(5)
        for column in range(3)
        if bits >> (y * 3 + column) & 1
        for x in {column, 4 - column}
    ]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 7 7" shape-rendering="crispEdges">'
        f'<path fill="hsl({hue} 45% 90%)" d="M-1-1h7v7h-7z"/>'
        f'<path fill="hsl({hue} 55% 42%)" d="{"".join(cells)}"/></svg>'
    )


async def show(request: Request) -> Response:
    """Serve one; a URL always means the same picture."""
    key = request.path_params["key"]
    if not _KEY.match(key):
        raise HTTPException(404)
    return Response(draw(key), headers=SECURITY | IMMUTABLE, media_type="image/svg+xml")
