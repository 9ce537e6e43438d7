"""Grafana's links from one signal to the next, as they are provisioned."""

from __future__ import annotations

import os
from typing import Any

import yaml

from observability.conventions import LOKI_UID, PROMETHEUS_UID, TEMPO_UID
from tests.collector import Collector, Span
from tests.parts import ROOT, request
from tests.stack.platform import Platform

TRACE_BOARD = "/d/minitwit-trace?var-trace=${__value.raw}"  # a viewer may not explore


class Links:
    """Grafana's links between signals, with its own escapes resolved."""

    def __init__(self) -> None:
        text = (ROOT / "deploy/generated/grafana-datasources.yml").read_text().replace("$$", "$")
        self._sources = {one["uid"]: one for one in yaml.safe_load(text)["datasources"]}
        [self.exemplar] = self.data(PROMETHEUS_UID)["exemplarTraceIdDestinations"]
        [self.trace] = self.data(LOKI_UID)["derivedFields"]
        self.logs = self.data(TEMPO_UID)["tracesToLogsV2"]
        assert self.trace["url"] == TRACE_BOARD

    def source(self, uid: str) -> dict[str, Any]:
        found: dict[str, Any] = self._sources[uid]
        return found

    def data(self, uid: str) -> dict[str, Any]:
        found: dict[str, Any] = self._sources[uid]["jsonData"]
        return found


def traced_page(stack: Platform) -> str:
    """Ask for a page; the id of its trace, or '' if it failed."""
    trace_id = os.urandom(16).hex()
    headers = {"traceparent": f"00-{trace_id}-{os.urandom(8).hex()}-01"}
    page = request("GET", stack.url("web") + "/public", headers=headers)
    return trace_id if page.status == 200 else ""


def page_spans(collector: Collector, trace_id: str) -> list[Span]:
    """The page, its call, that as served, its statement; once all are there."""
    of = {(span.service, span.kind): span for span in collector.trace(trace_id)}
    wanted = [(service, kind) for service in ("web", "api") for kind in ("server", "client")]
    return [of[one] for one in wanted] if of.keys() >= {*wanted} else []
