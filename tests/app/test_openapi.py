"""The OpenAPI document says what the routes do."""

from __future__ import annotations

from typing import Any

from app.api import application, openapi
from app.settings import Environment
from app.settings import api as api_settings
from observability.instrument.logs import Log, LogSettings
from observability.instrument.metrics import Meter
from observability.instrument.routes import routes
from tests.parts import Service


def test_the_document_has_exactly_the_routes() -> None:
    meter = Meter("api")
    log = Log(LogSettings(stdout=False), meter)
    settings = api_settings(Environment({"DATABASE_URL": "postgresql://x"}))
    app, _ = application.create(settings, meter, log)
    log.close()
    declared = {
        (method.upper(), path)
        for path, operations in openapi.DOCUMENT["paths"].items()
        for method in operations
    }
    assert declared == set(routes(app.routes))


def test_it_is_served(api: Service) -> None:
    assert api.get("/api/openapi.json").json() == openapi.DOCUMENT


def test_every_reference_leads_somewhere() -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [r for value in node.values() for r in references(value)]
        if isinstance(node, list):
            return [r for value in node for r in references(value)]
        return []

    found = {reference.rpartition("/")[2] for reference in references(openapi.DOCUMENT)}
    assert found == set(openapi.DOCUMENT["components"]["schemas"])
