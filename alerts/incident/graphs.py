"""One small picture: rate, errors and duration by service; critical alerts are shaded."""

from __future__ import annotations

from math import nan
from pathlib import Path
from typing import Any

from alerts.incident.fired_alerts import Alert
from alerts.incident.prometheus_api import Prometheus, Samples
from alerts.incident.time_window import Window, clock
from alerts.objectives import ERROR_RATIO_LIMIT, LATENCY_OBJECTIVE
from observability.catalog import HTTP_DURATION, HTTP_REQUESTS, SERVICE
from observability.promql.builders import LE, matches, rate, ratio, total
from observability.promql.expr import Expr
from observability.time_scale import SCRAPES_A_RANGE, duration

POINTS, TICKS = 200, 3
COLOURS = {"api": "#3274d9", "web": "#8f3bb8"}
SIZE = (9.0, 2.3)  # inches, of 100 points


def panels(window: str) -> tuple[tuple[str, Expr, float], ...]:
    """Title, expression and limit of each part; rates over ``window``."""
    requests = total(rate(HTTP_REQUESTS, window), SERVICE)
    failed = total(rate(HTTP_REQUESTS, window, status=matches("5..")), SERVICE)
    buckets = total(rate(HTTP_DURATION, window, "bucket"), LE, SERVICE)
    p99 = Expr(f"histogram_quantile(0.99, {buckets})", frozenset({SERVICE.name}))
    return (
        ("Requests a second", requests, 0),
        ("Share that failed (5xx)", ratio(failed, requests), ERROR_RATIO_LIMIT),
        ("Duration, p99, seconds", p99, LATENCY_OBJECTIVE),
    )


def draw(
    prometheus: Prometheus, window: Window, step: float, alerts: tuple[Alert, ...], file: Path
) -> str:
    """Write the picture; '' if it was written, else why not."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "matplotlib is not installed"
    step = max(step, window.seconds / POINTS)
    figure = Figure(figsize=SIZE, dpi=100, layout="constrained")
    for number, (title, expr, limit) in enumerate(panels(duration(SCRAPES_A_RANGE * step)), 1):
        axes = figure.add_subplot(1, 3, number)
        for series in prometheus.range(expr, window.since, window.until, step):
            points = _with_gaps(series.samples, step)
            name = series.label(SERVICE.name)
            axes.plot(*zip(*points, strict=True), label=name, color=COLOURS.get(name), linewidth=1)
        _decorate(axes, title, limit, window, alerts)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, format="png")
    return ""


def _with_gaps(samples: Samples, step: float) -> Samples:
    """Return the points of a line with a gap where samples are missing."""
    points: Samples = []
    for t, value in samples:
        if points and t - points[-1][0] > 1.5 * step:
            points.append((t, nan))
        points.append((t, value))
    return points


def _shaded(alerts: tuple[Alert, ...], end: float) -> Samples:
    """Return when critical alerts fired, as (begin, end); overlapping ones are joined."""
    found: Samples = []
    for begin, over in sorted(
        (a.fired, a.resolved or end) for a in alerts if a.severity == "critical"
    ):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(over, found[-1][1]))
        else:
            found.append((begin, over))
    return found


def _decorate(
    axes: Any, title: str, limit: float, window: Window, alerts: tuple[Alert, ...]
) -> None:
    for begin, end in _shaded(alerts, window.until):
        axes.axvspan(begin, end, color="red", alpha=0.1, lw=0)
    if limit:
        axes.axhline(limit, color="grey", linestyle="--", linewidth=0.7)
    ticks = [window.since + window.seconds * part / TICKS for part in range(TICKS + 1)]
    axes.set_xticks(ticks, [clock(t)[: 8 if window.seconds < 900 else 5] for t in ticks])
    axes.set_title(title, fontsize=8)
    axes.set_xlim(window.since, window.until)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.15)  # room for the legend
    axes.tick_params(labelsize=6)
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.legend(fontsize=6, loc="upper left", frameon=False)
