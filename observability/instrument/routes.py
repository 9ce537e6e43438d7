"""Methods and route templates of a service."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Scope

from observability import catalog
from observability.instrument.metrics import Meter

OTHER = "other"  # a method without a route
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_CONVERTER = re.compile(r":\w+}")
Served = tuple[str, str]  # method and route


def template(scope: Scope) -> str:
    """Return the route's template (``/msgs/{username}``), never the path itself."""
    path = getattr(scope.get("route"), "path", None)
    return _plain(path) if path else catalog.UNMATCHED


def touch_routes(app: Starlette, meter: Meter) -> frozenset[Served]:
    """Create the children of all routes, so that ``rate()`` sees a first request.

    Returns the pairs of method and template that are served.
    """
    served = routes(app.routes)
    for method, path in served:
        meter.touch(catalog.HTTP_DURATION, method, path)
        meter.touch(catalog.HTTP_REQUESTS, method, path, "200")
    return frozenset(served)


def routes(declared: list[BaseRoute]) -> list[Served]:
    """Return (method, template) of each route; a mount is one template."""
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
