"""Head sampling, before any instrumentation: an unsampled request costs next to nothing.

A sampled request passes through OpenTelemetry's own ASGI middleware. That sees a scope without
path, query, client and headers, since these carry secrets; the application sees its own.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanKind, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observability.instrument import context, id_generator
from observability.instrument.attributes import answered, asked, method, span_name
from observability.instrument.context import RequestContext
from observability.instrument.tail_sampling import Budget

CARRIERS = frozenset((b"traceparent", b"tracestate", b"baggage"))
SCOPE = "minitwit.scope"
_PROPAGATOR = TraceContextTextMapPropagator()


class TrustedCallers:
    """Addresses and networks, separated by commas, whose headers are trusted; ``*`` is all.

    Loopback always is.
    """

    def __init__(self, text: str) -> None:
        names = [name.strip() for name in text.split(",") if name.strip()]
        self._all = "*" in names
        self._networks = [ip_network(name, strict=False) for name in names if name != "*"]
        self.has = lru_cache(1024)(self._has)

    def _has(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:  # a unix socket has no address
            return self._all
        return self._all or address.is_loopback or any(address in net for net in self._networks)


class HeadSampling:
    """Middleware that continues a trusted caller's trace and takes the sampling decision."""

    def __init__(
        self,
        app: ASGIApp,
        trusted: TrustedCallers,
        sampler: Sampler,
        provider: TracerProvider | None,
        budget: Budget | None,
    ) -> None:
        self._app, self._trusted, self._sampler = app, trusted, sampler
        self._budget = budget
        self._instrumented: OpenTelemetryMiddleware | None = None
        if provider:
            self._instrumented = OpenTelemetryMiddleware(
                self._inside,
                default_span_details=lambda scope: (method(scope), asked(scope[SCOPE])),
                tracer_provider=provider,
                meter_provider=NoOpMeterProvider(),
                exclude_spans=["receive", "send"],
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request that has a ``RequestContext``."""
        request = context.current()
        if scope["type"] != "http" or request is None:
            await self._app(scope, receive, send)
            return
        headers = self._carried(scope)
        parent = join(request, headers)
        request.budget = self._budget
        if self._instrumented is None or not self._sampled(request, parent):
            await self._app(scope, receive, send)
            return
        request.sampled = True
        with id_generator.given(int(request.trace_id, 16), int(request.span_id, 16)):
            await self._instrumented(_bare(scope, headers), receive, send)

    def _carried(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return the trace headers; remove those of an untrusted caller from the scope."""
        found = [pair for pair in scope["headers"] if pair[0] in CARRIERS]
        if found and not self._trusted.has(scope["client"][0] if scope.get("client") else ""):
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in CARRIERS]
            return []
        return found

    def _sampled(self, request: RequestContext, parent: Context) -> bool:
        trace_id = int(request.trace_id, 16)
        result = self._sampler.should_sample(parent, trace_id, "", SpanKind.SERVER)
        return result.decision is Decision.RECORD_AND_SAMPLE

    async def _inside(self, bare: Scope, receive: Receive, send: Send) -> None:
        """Serve inside the span, and complete the span when the response begins.

        The route is known by then, and the instrumentation ends its span with the last part of the
        response.
        """
        scope: Scope = bare[SCOPE]
        span, request = trace.get_current_span(), context.current()

        async def complete(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start" and request:
                span.update_name(span_name(scope))
                answered(span, scope, request, "sampled")

        await self._app(scope, receive, complete)


def join(request: RequestContext, headers: list[tuple[bytes, bytes]]) -> Context:
    """Continue the caller's trace if the headers carry one; return the sampler's context."""
    if headers:
        carrier = {name.decode(): value.decode("latin-1") for name, value in headers}
        found = trace.get_current_span(_PROPAGATOR.extract(carrier, Context())).get_span_context()
        if found.is_valid:
            request.parent = found
            request.trace_id = trace.format_trace_id(found.trace_id)
            return set_span_in_context(NonRecordingSpan(found), Context())
    return Context()


def _bare(scope: Scope, headers: list[tuple[bytes, bytes]]) -> Scope:
    """Return the scope that the instrumentation may see."""
    return {
        "type": "http", "asgi": scope.get("asgi", {}), "http_version": scope["http_version"],
        "method": method(scope), "scheme": scope["scheme"], "server": scope.get("server"),
        "path": "", "query_string": b"", "headers": headers, SCOPE: scope,
    }  # fmt: skip
