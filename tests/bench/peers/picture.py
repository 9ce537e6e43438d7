"""The picture of ``make bench SUITE=peers``: bars of the medians, whiskers from least to most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import pyplot

from tests.bench import svg
from tests.bench.peers.suite import LIMIT, PEERS

COLOURS = ("#1f60c4", "#c4162a", "#e0752d", "#8f8f8f", "#c8c8c8")


def draw(found: dict[str, Any], path: Path) -> None:
    """Write an SVG of requests a second by kind of work and peer."""
    kinds = list(found)
    peers = {**PEERS, LIMIT: LIMIT}
    width = 0.8 / len(peers)
    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    for number, (peer, title) in enumerate(peers.items()):
        places, rates = [], []
        for place, kind in enumerate(kinds):
            if rate := found[kind]["rate"].get(peer):
                places.append(place + (number - len(peers) / 2 + 0.5) * width)
                rates.append(rate)
        middle = [rate["median"] for rate in rates]
        whiskers = [
            [rate["median"] - rate["least"] for rate in rates],
            [rate["most"] - rate["median"] for rate in rates],
        ]
        bars = axes.bar(
            places, middle, width, label=title, color=COLOURS[number], yerr=whiskers, capsize=2
        )
        axes.bar_label(bars, fmt="{:.0f}", fontsize=7, padding=3)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_ylabel("requests a second")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, ncols=2)
    svg.save(figure, path)
