"""What a service serves: methods and route templates, never paths."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Scope

from observability import catalog
from observability.instrument.metrics import Meter

OTHER = "other"  # a method that nobody serves
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_CONVERTER = re.compile(r":\w+}")
Served = tuple[str, str]  # method and route


def template(scope: Scope) -> str:
    """The route's template without converters (``/msgs/{username}``), never the path itself."""
    path = getattr(scope.get("route"), "path", None)
    return _plain(path) if path else catalog.UNMATCHED


def touch_routes(app: Starlette, meter: Meter) -> frozenset[Served]:
    """What is served. Makes its children, so that a first request is seen by ``rate()``."""
    served = routes(app.routes)
    for method, path in served:
        meter.touch(catalog.HTTP_DURATION, method, path)
        meter.touch(catalog.HTTP_REQUESTS, method, path, "200")
    return frozenset(served)


def routes(declared: list[BaseRoute]) -> list[Served]:
    """(method, template) of each route; a mount is one template of its own."""
    found = []
    for route in declared:
        if isinstance(route, Route):
            methods = (route.methods or set()) - {"HEAD"}
            found += [(method, _plain(route.path)) for method in sorted(methods)]
        elif isinstance(route, Mount):
            found.append(("GET", _plain(route.path)))
    return found


def _plain(path: str) -> str:
    return _CONVERTER.sub("}", path)
