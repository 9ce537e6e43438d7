"""The JSON passes through the types of Grafana's own SDK without losing a key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.registry import render

# Keys that Grafana reads and these types (10.1) do not know.
UNKNOWN_TO_THE_TYPES = {
    "annotations.list.step",
    "annotations.list.titleFormat",
    "panels.options.tooltip.mode",  # of a heatmap, since 11
    "panels.options.wideLayout",  # of a stat, since 10.3
    "panels.panels.options.wideLayout",
    "panels.targets.tableType",  # of Tempo's search, since 10.2
}


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Return our paths that are missing or changed in theirs.

    What they add is their default.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            here = f"{path}.{key}".lstrip(".")
            if key not in theirs:
                yield here
            else:
                yield from differences(value, theirs[key], here)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for mine, yours in zip(ours, theirs, strict=True):
            yield from differences(mine, yours, path)
    elif ours != theirs:
        yield path


def through(text: str) -> Any:
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(json.loads(text)), cls=JSONEncoder))


@pytest.mark.parametrize(("name", "text"), render().items())
def test_no_key_is_lost(name: str, text: str) -> None:
    lost = set(differences(json.loads(text), through(text)))
    assert lost <= UNKNOWN_TO_THE_TYPES, name


def test_a_key_that_grafana_does_not_have_is_noticed() -> None:
    text = json.dumps({"title": "x", "panels": [{"type": "stat", "span": 4}], "style": "dark"})
    assert set(differences(json.loads(text), through(text))) == {"panels.span"}
