"""An application with everything around it that observes it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.types import ASGIApp

from observability.instrument.afterwards import Afterwards
from observability.instrument.gate import Gate, Trusted
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter
from observability.instrument.middleware import Telemetry
from observability.instrument.routes import touch_routes
from observability.instrument.sampling import SAMPLERS
from observability.instrument.tracing import TraceSettings, Tracing
from observability.instrument.unhandled import Unhandled


def observed(
    app: Starlette,
    inner: ASGIApp,
    meter: Meter,
    log: Log,
    tracing: Tracing,
    settings: TraceSettings,
    trusted: str,
) -> Telemetry:
    """``inner`` serves the routes of ``app``; ``trusted`` are those whose traces go on here."""
    provider = tracing.provider
    afterwards = Afterwards(provider, meter) if provider else None
    sampler = SAMPLERS[settings.sampler](settings.ratio)
    budget = afterwards.budget if afterwards else None
    gate = Gate(Unhandled(inner, log), Trusted(trusted), sampler, provider, budget)
    return Telemetry(gate, meter, log, touch_routes(app, meter), afterwards)
