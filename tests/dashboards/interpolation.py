"""Fills in the variables of an expression as Grafana does.

https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ describes
``$__rate_interval``, https://grafana.com/docs/grafana/latest/dashboards/variables/ how several
values become one regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALL = "$__all"
POINTS = 1000  # about as many as a panel on a wide screen has pixels
# Steps that Grafana rounds to, in seconds; enough for ranges of up to a day.
STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300)


@dataclass(frozen=True)
class Window:
    """The range that a dashboard shows, and how often the metrics are scraped, in seconds."""

    range: float
    scrape: float

    @property
    def step(self) -> float:
        """``$__interval``: never below the scrape interval of the datasource."""
        exact = self.range / POINTS
        return max(min(s for s in STEPS if s >= exact), self.scrape)

    @property
    def rate(self) -> float:
        """``$__rate_interval``."""
        return max(self.step + self.scrape, 4 * self.scrape)


def interpolate(
    expression: str, window: Window, chosen: Mapping[str, str | Sequence[str]], all_value: str
) -> str:
    """``expression`` with every variable replaced; a KeyError names one that is not chosen."""
    builtin = {
        "__rate_interval": f"{window.rate:g}s",
        "__interval": f"{window.step:g}s",
        "__range": f"{window.range:g}s",
    }

    def fill(found: re.Match[str]) -> str:
        name = found["name"]
        if name in builtin:
            return builtin[name]
        if name.isdigit():  # a group of a regular expression: no variable is called so
            return found[0]
        value = chosen[name]
        if value == ALL:
            return all_value
        if isinstance(value, str):
            return value
        escaped = [re.sub(r"([.*+?^${}()|\[\]\\])", r"\\\\\1", one) for one in value]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    return re.sub(r"\$\{?(?P<name>\w+)\}?", fill, expression)
