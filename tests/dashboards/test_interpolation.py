"""The tests fill variables in as Grafana does."""

from __future__ import annotations

import pytest

from tests.dashboards.interpolation import ALL, Window, interpolate


@pytest.mark.parametrize(
    ("seconds", "scrape", "step", "rate"),
    [(3600, 5, 5, 20), (3600, 1, 5, 6), (86_400, 5, 120, 125), (300, 15, 15, 60)],
)
def test_intervals(seconds: float, scrape: float, step: float, rate: float) -> None:
    window = Window(seconds, scrape)
    assert (window.step, window.rate) == (step, rate)


def test_variables() -> None:
    expression = 'rate(x{a=~"$a",b=~"${b}",c=~"$c"}[$__rate_interval]) + $__range'
    chosen: dict[str, str | list[str]] = {"a": ALL, "b": ["one"], "c": ["1.2.3.4:5", "x|y"]}
    assert interpolate(expression, Window(3600, 5), chosen, ".+") == (
        r'rate(x{a=~".+",b=~"one",c=~"(1\\.2\\.3\\.4:5|x\\|y)"}[20s]) + 3600s'
    )
    with pytest.raises(KeyError):
        interpolate("$nobody", Window(1, 1), {}, ".+")
