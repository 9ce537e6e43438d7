"""Name and attributes of a server span, the same for head and tail sampling.

Queries, paths and headers are left out, because they carry secrets and people's names.
"""

from __future__ import annotations

from opentelemetry.trace import Span
from starlette.types import Scope

from observability.catalog import Attribute
from observability.instrument.context import RequestContext
from observability.instrument.recording import Attributes
from observability.instrument.routes import METHODS, template

ERROR_STATUS = 500
OTHER_METHOD = "_OTHER"  # OpenTelemetry's value for an unknown method
# Log fields that are span attributes as well.
_NOTED = {"action": Attribute.ACTION, "outcome": Attribute.OUTCOME}


def method(scope: Scope) -> str:
    """Return the request's method, or OTHER_METHOD for an unknown one."""
    name: str = scope["method"]
    return name if name in METHODS else OTHER_METHOD


def span_name(scope: Scope) -> str:
    """Return ``METHOD route``; known when the response begins."""
    return f"{method(scope)} {template(scope)}"


def asked(scope: Scope) -> Attributes:
    """Return the attributes that are known at the start of a request."""
    host, port = scope.get("server") or ("", 0)
    return {
        Attribute.METHOD: method(scope),
        Attribute.SCHEME: scope["scheme"],
        Attribute.PROTOCOL_VERSION: scope["http_version"],
        Attribute.SERVER_ADDRESS: host,
        Attribute.SERVER_PORT: port or 0,
    }


def answered(span: Span, scope: Scope, request: RequestContext, reason: str) -> None:
    """Add the attributes that are known once the response has begun."""
    found: Attributes = {
        Attribute.ROUTE: template(scope),
        Attribute.REQUEST_ID: request.request_id,
        Attribute.DB_SECONDS: round(request.db_seconds, 6),
        Attribute.REASON: reason,
    }
    for name, attribute in _NOTED.items():
        if name in request.fields:
            found[attribute] = str(request.fields[name])
    if request.status >= ERROR_STATUS:
        found[Attribute.ERROR_TYPE] = request.error or str(request.status)
    span.set_attributes(found)
