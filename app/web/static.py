"""Static files: read at startup, with a hash of their content in the URL."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.web.headers import IMMUTABLE, SECURITY

FOLDER = Path(__file__).parents[1] / "static"
_TYPES = {".css": "text/css", ".svg": "image/svg+xml"}
_FILES = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in _TYPES}
_VERSIONS = {name: hashlib.sha256(data).hexdigest()[:12] for name, data in _FILES.items()}


def address(name: str) -> str:
    """Return the URL of a file, with the version of its content."""
    return f"/static/{name}?v={_VERSIONS[name]}"


async def icon(request: Request) -> Response:
    """Serve the icon that browsers request for responses other than pages."""
    return Response(_FILES["icon.svg"], headers=SECURITY, media_type=_TYPES[".svg"])


async def show(request: Request) -> Response:
    """Serve a file; browsers may cache the present version for ever."""
    name = request.path_params["name"]
    if name not in _FILES:
        raise HTTPException(404)
    current = request.query_params.get("v") == _VERSIONS[name]
    caching = IMMUTABLE if current else {"Cache-Control": "public, max-age=3600"}
    return Response(_FILES[name], headers=SECURITY | caching, media_type=_TYPES[Path(name).suffix])
