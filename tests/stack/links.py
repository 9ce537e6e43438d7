"""Grafana's links from one signal to the next, as they are provisioned."""

from __future__ import annotations

from typing import Any

import yaml

from observability.conventions import LOKI_UID, PROMETHEUS_UID, TEMPO_UID
from tests.parts import ROOT

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
