"""Table and picture of ``make bench SUITE=watching``: each component at each pace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import pyplot

from tests.bench import svg
from tests.bench.watching import SERVING, Found, watching

# key of the result file → heading, decimals
FIGURES = {
    "cpu_percent": ("processor, % of a core", 1),
    "memory_mb": ("memory, MB", 0),
    "disk_kb_a_second": ("written, as the kernel counts, kB/s", 0),
}
COLOURS = ("#c8c8c8", "#8ab8ff", "#1f60c4", "#c4162a")


def dearest_first(found: Found) -> list[str]:
    """Return the components: what serves, then what watches, by processor time at 100 a second."""
    at = found["paces"]["100"]["components"]
    return sorted(at, key=lambda name: (name not in SERVING, -at[name]["cpu_percent"]))


def table(found: Found) -> str:
    """Return a row for each component, with each figure at all paces."""
    paces = list(found["paces"])
    heads = " | ".join(heading for heading, _ in FIGURES.values())
    lines = [f"| at {' / '.join(paces)} actions a second | {heads} |", "| --- " * 4 + "|"]
    for name in dearest_first(found):
        at = {pace: found["paces"][pace]["components"].get(name, {}) for pace in paces}
        lines.append(_line(name, {f: [at[pace].get(f) for pace in paces] for f in FIGURES}))
    sums = {f: [watching(found, pace, f) for pace in paces] for f in FIGURES}
    lines.append(_line("**all that watches**", sums))
    wire = " / ".join(f"{part['network_kb_a_second']:.0f}" for part in found["paces"].values())
    lines.append(f"\nNetwork, of all components together: {wire} kB/s.")
    return "\n".join(lines) + "\n"


def _line(name: str, values: dict[str, list[Any]]) -> str:
    cells = (
        " / ".join("-" if value is None else f"{value:.{FIGURES[key][1]}f}" for value in row)
        for key, row in values.items()
    )
    return f"| {name} | {' | '.join(cells)} |"


def draw(found: Found, path: Path) -> None:
    """Write an SVG: processor time and memory of each component, a bar for each pace."""
    names, paces = dearest_first(found), list(found["paces"])
    height = 0.8 / len(paces)
    figure, both = pyplot.subplots(1, 2, figsize=(9, 6), layout="constrained", sharey=True)
    for axes, key in zip(both, ("cpu_percent", "memory_mb"), strict=True):
        for number, pace in enumerate(paces):
            at = found["paces"][pace]["components"]
            beside = (number - len(paces) / 2 + 0.5) * height
            places = [place + beside for place in range(len(names))]
            values = [at.get(name, {}).get(key, 0.0) for name in names]
            axes.barh(places, values, height, label=pace, color=COLOURS[number])
        axes.set_xlabel(FIGURES[key][0])
        axes.spines[["top", "right"]].set_visible(False)
    both[0].set_yticks(range(len(names)), names)
    both[0].invert_yaxis()
    handles, labels = both[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, title="actions a second", loc="outside upper center",
        ncols=len(paces), frameon=False,
    )  # fmt: skip
    svg.save(figure, path)
