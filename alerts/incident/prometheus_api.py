"""Queries over HTTP: JSON of any component, and Prometheus's series and samples."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isnan
from typing import Any

from observability.promql.builders import samples
from observability.promql.expr import Expr
from observability.stack import http_answer
from observability.stack.settings import StackError
from observability.time_scale import duration

TIMEOUT_SECONDS = 30.0
MAX_POINTS = 2_000  # of a series in one response
Samples = list[tuple[float, float]]  # seconds of the epoch, value
Get = Callable[[str], Any]  # URL → JSON
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NoAnswer(StackError):
    """A component did not answer, or refused."""


def getter(headers: Mapping[str, str] | None = None) -> Get:
    """Return a function that gets JSON from a URL, without a proxy; it raises ``NoAnswer``."""

    def get(address: str) -> Any:
        call = urllib.request.Request(address, headers=dict(headers or {}))  # noqa: S310  # the operator's own address
        try:
            return json.loads(http_answer.body(call, TIMEOUT_SECONDS, send=_opener.open))
        except urllib.error.HTTPError as error:
            text = http_answer.refusal(error)
            raise NoAnswer(f"{_host(address)} refuses: {error.code} {text}") from None
        except (OSError, ValueError) as error:
            raise NoAnswer(f"{_host(address)} does not answer: {error}") from None

    return get


@contextmanager
def reading(address: str) -> Iterator[None]:
    """Raise ``NoAnswer`` where the JSON from ``address`` has another shape than the block reads."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        raise NoAnswer(f"{_host(address)} answers with other JSON than expected") from None


def _host(address: str) -> str:
    return urllib.parse.urlsplit(address).netloc


@dataclass(frozen=True, slots=True)
class Series:
    """A time series: its labels without the name, and its samples in order of time."""

    labels: Mapping[str, str]
    samples: Samples

    def label(self, name: str) -> str:
        """The value of a label; '' if there is none."""
        return self.labels.get(name, "")


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus server at ``url``; tests pass a ``get`` that replays a recording."""

    url: str
    get: Get

    def raw(self, selector: Expr, since: float, until: float) -> list[Series]:
        """Return the scraped samples with their own timestamps: an instant query of a range."""
        text = samples(selector, duration(max(until - since, 1)))
        return self._query("query", query=str(text), time=f"{until:.3f}")

    def instant(self, expr: Expr, moment: float) -> list[tuple[Mapping[str, str], float]]:
        """Return labels and value of each series at one moment, without NaN."""
        found = self._query("query", query=expr.text, time=f"{moment:.3f}")
        values = [(one.labels, one.samples[0][1]) for one in found]
        return [(labels, value) for labels, value in values if not isnan(value)]

    def range(self, expr: Expr, since: float, until: float, step: float) -> list[Series]:
        """Return values at every ``step`` seconds: a range query."""
        return self._query(
            "query_range", query=expr.text, start=f"{since:.3f}", end=f"{until:.3f}",
            step=f"{max(step, (until - since) / MAX_POINTS):.3f}",
        )  # fmt: skip

    def _query(self, path: str, **query: str) -> list[Series]:
        answer = self.get(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}")
        with reading(self.url):
            return [
                Series(
                    {k: v for k, v in one["metric"].items() if k != "__name__"},
                    [(float(t), float(v)) for t, v in one.get("values") or [one["value"]]],
                )
                for one in answer["data"]["result"]
            ]
