"""Prometheus instruments from the catalogue; children with known labels exist from the start.

Such a child is 0 before its first event; ``rate()`` then sees that event, and a panel shows a line
at zero rather than "No data".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from observability import catalog
from observability.catalog import Metric

Traced = dict[str, str] | None  # an exemplar's labels


class Meter:
    """The instruments of one service; children are cached by their label values."""

    def __init__(self, service: str, registry: CollectorRegistry | None = None) -> None:
        self.service = service
        self.registry = registry or CollectorRegistry()
        self._families: dict[str, Any] = {}
        self._children: dict[tuple[str, ...], Any] = {}
        disable_created_metrics()  # type: ignore[no-untyped-call]
        for metric in catalog.METRICS:
            if service in metric.services:
                self._families[metric.name] = self._build(metric)
                for values in metric.children():
                    self._child(metric, values)

    def count(self, metric: Metric, *values: str, by: float = 1) -> None:
        """Add to a counter's child."""
        self._child(metric, values).inc(by)

    def set(self, metric: Metric, value: float, *values: str) -> None:
        """Set a gauge's child."""
        self._child(metric, values).set(value)

    def observe(self, metric: Metric, amount: float, *values: str, exemplar: Traced = None) -> None:
        """Record ``amount`` (base unit) in a histogram's child."""
        self._child(metric, values).observe(amount, exemplar)

    def watch(self, metric: Metric, read: Callable[[], float], *values: str) -> None:
        """Make a gauge's child call ``read`` at each scrape."""
        self._child(metric, values).set_function(read)

    def bind(self, metric: Metric, *values: str) -> Any:
        """Return a child itself, for code that uses it thousands of times a second."""
        return self._child(metric, values)

    def touch(self, metric: Metric, *values: str) -> None:
        """Create a child whose labels become known at startup, such as a route's."""
        self._child(metric, values)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the exposition for an ``Accept`` header, and its content type.

        What the library cannot parse, such as ``version=abc``, counts as no preference.
        """
        try:
            encode, content_type = choose_encoder(accept)
            return encode(self.registry), content_type
        except (TypeError, ValueError):
            encode, content_type = choose_encoder("")
            return encode(self.registry), content_type

    def add_process_metrics(self) -> None:
        """Add the collectors of this process: CPU, memory, file descriptors, GC."""
        ProcessCollector(registry=self.registry)
        self.registry.register(GC_COLLECTOR)
        self.registry.register(PLATFORM_COLLECTOR)

    def _child(self, metric: Metric, values: tuple[str, ...]) -> Any:
        key = (metric.name, *values)
        child = self._children.get(key)
        if child is None:
            family = self._families[metric.name]
            child = self._children[key] = family.labels(*values) if metric.labels else family
        return child

    def _build(self, metric: Metric) -> Counter | Gauge | Histogram:
        names = metric.label_names
        if metric.kind == "histogram":
            return Histogram(
                metric.name, metric.help, names, registry=self.registry, buckets=metric.buckets
            )
        family = Counter if metric.kind == "counter" else Gauge
        return family(metric.name, metric.help, names, registry=self.registry)
