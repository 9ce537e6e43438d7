"""Wraps an application in its instrumentation."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.types import ASGIApp

from observability.instrument.head_sampling import HeadSampling, TrustedCallers
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter
from observability.instrument.middleware import Telemetry
from observability.instrument.routes import touch_routes
from observability.instrument.sampling import SAMPLERS
from observability.instrument.tail_sampling import TailSampling
from observability.instrument.tracing import TraceSettings, Tracing
from observability.instrument.unhandled import Unhandled


def instrument_app(
    app: Starlette,
    inner: ASGIApp,
    meter: Meter,
    log: Log,
    tracing: Tracing,
    settings: TraceSettings,
    trusted: str,
) -> Telemetry:
    """Wrap ``inner``, which serves the routes of ``app``.

    ``trusted`` are the callers whose traces are continued, see ``TrustedCallers``.
    """
    provider = tracing.provider
    tail_sampling = TailSampling(provider, meter) if provider else None
    sampler = SAMPLERS[settings.sampler](settings.ratio)
    budget = tail_sampling.budget if tail_sampling else None
    sampling = HeadSampling(
        Unhandled(inner, log), TrustedCallers(trusted), sampler, provider, budget
    )
    return Telemetry(sampling, meter, log, touch_routes(app, meter), tail_sampling)
