"""api without any telemetry: no metrics, no logs, no traces. For comparison only.

The same application, server and limits; what would observe does nothing, and the layers that only
observe are left out.
"""

from __future__ import annotations

import os
from typing import Any

import uvicorn

from app import server, settings
from app.api import application
from observability import catalog
from observability.instrument.health import Health
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter


class NoMeter(Meter):
    """Measures nothing."""

    def __init__(self) -> None:
        self.service = catalog.API

    def _nothing(self, *values: Any, **named: Any) -> None: ...

    count = set = observe = watch = touch = _nothing
    inc = dec = _nothing  # as a child of its own

    def bind(self, *values: Any) -> Any:
        return self


class NoLog(Log):
    """Writes nothing."""

    def __init__(self) -> None: ...

    def write(self, level: str, event: str, message: str, fields: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


def main() -> None:
    env = settings.Environment(os.environ)
    shared = settings.server(env, 5001)
    meter, log = NoMeter(), NoLog()
    app, database = application.create(settings.api(env), meter, log)
    health = Health(server.protected(app, shared), meter)
    health.add("database", database.check)
    server.spare_the_collector()
    uvicorn.Server(server.config(health, shared)).run()


if __name__ == "__main__":
    main()
