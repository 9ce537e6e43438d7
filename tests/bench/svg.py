"""Pictures as SVG: the same figures make the same file."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.figure import Figure

mpl.use("agg")
mpl.rcParams["svg.hashsalt"] = "minitwit"  # identifiers are by name and not by chance


def save(figure: Figure, path: Path) -> None:
    """Write a figure of pyplot, without a date, and close it."""
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
