"""Prometheus instruments built from the catalogue, with every known label child made at start.

A child that exists from the start is 0 before its first event; ``rate()`` then sees that first
event, and a panel shows a line at zero rather than "No data".
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
    """The instruments of one service. Children are bound once and looked up by label values."""

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
        """Let a gauge's child ask ``read`` at each scrape."""
        self._child(metric, values).set_function(read)

    def bind(self, metric: Metric, *values: str) -> Any:
        """A child itself, for where it is asked for a thousand times a second."""
        return self._child(metric, values)

    def touch(self, metric: Metric, *values: str) -> None:
        """Make a child whose labels become known only at start, such as a route's."""
        self._child(metric, values)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition for an ``Accept`` header, and its content type.

        What the library cannot read, such as ``version=abc``, counts as no preference.
        """
        try:
            encode, content_type = choose_encoder(accept)
            return encode(self.registry), content_type
        except (TypeError, ValueError):
            encode, content_type = choose_encoder("")
            return encode(self.registry), content_type

    def add_process_metrics(self) -> None:
        """Add the collectors of this process: CPU, memory, descriptors, garbage collection."""
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
