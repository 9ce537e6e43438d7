"""The rules of reading in docs/dashboards.md, held over the generated JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from alerts.objectives import PERIOD
from dashboards import since as since_when
from dashboards.axes import WIDE
from dashboards.colours import GREY, JUDGED, MEANINGS, SERVICES, Meaning, colours, meaning_of
from dashboards.layout import COLUMNS
from dashboards.palette import LABEL_VALUES, PALETTE
from dashboards.panel_types import NO_DATA
from dashboards.panels import WELL
from dashboards.registry import DASHBOARDS, render
from observability import catalog
from observability.dashboard_uids import Board
from tests.parts import ROOT

Json = dict[str, Any]
FEW = 8  # names that a list below a narrow panel has room for
BOARDS = {name: json.loads(text) for name, text in render().items()}


def flat(board: Json) -> list[Json]:
    nested = [inner for panel in board["panels"] for inner in panel.get("panels", ())]
    return [*board["panels"], *nested]


def of(*kinds: str) -> dict[str, Json]:
    return {
        f"{board['uid']}: {panel['title']}": panel
        for board in BOARDS.values()
        for panel in flat(board)
        if panel["type"] in kinds
    }


LINES = of("timeseries")
every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
every_line_panel = pytest.mark.parametrize("panel", LINES.values(), ids=LINES)


@every_line_panel
def test_an_axis_ends_above_its_limit_or_at_a_sensible_least(panel: Json) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["min"] == 0
    limits = [s["value"] for s in defaults["thresholds"]["steps"] if s["value"] is not None]
    end = defaults.get("max", defaults["custom"].get("axisSoftMax"))
    assert end and end > 0, "a line of zeros would get an axis up to 10,000 %"
    for limit in limits:
        assert limit < end <= 2 * limit, "the limit lies on the axis, and is no speck at its foot"


@every_line_panel
def test_a_legend_leaves_room_for_the_lines(panel: Json) -> None:
    legend, width = panel["options"]["legend"], panel["gridPos"]["w"]
    if width >= WIDE:
        assert (legend["placement"], legend["displayMode"]) == ("right", "table")
        assert legend["sortBy"] == "Max" and legend["sortDesc"], "what matters stands first"
    else:
        assert (legend["placement"], legend["displayMode"]) == ("bottom", "list")


@every_line_panel
def test_lines_are_thick_enough_and_stacked_only_in_whole_parts(panel: Json) -> None:
    custom = panel["fieldConfig"]["defaults"]["custom"]
    assert custom["lineWidth"] >= 2
    stacked = {"Processor", "Rollout"}
    assert custom["stacking"]["mode"] == "none" or panel["title"] in stacked


@pytest.mark.parametrize(
    ("legend", "color"),
    [("{{outcome}}", "green"), ("{{service}} {{status}}", "red"), ("{{service}}", "blue")],
)
def test_a_legend_with_a_meaning_gets_its_colours(legend: str, color: str) -> None:
    given = {one["properties"][0]["value"]["fixedColor"] for one in colours([legend])}
    assert color in given


def test_every_word_of_the_catalogue_has_one_meaning() -> None:
    labels = [label for metric in catalog.METRICS for label in metric.labels]
    words = {value for label in labels if label.name in JUDGED for value in label.values}
    assert words and {word for word in words if meaning_of(word) is None} == set()
    known = [word for values in MEANINGS.values() for word in values]
    assert len(known) == len(set(known)), "a word with two meanings"
    assert [meaning_of(s) for s in ("204", "404", "503")] == [
        Meaning.GOOD, Meaning.CLIENT, Meaning.SERVER,
    ]  # fmt: skip


def test_a_colour_is_the_same_on_all_boards() -> None:
    given: dict[str, set[str]] = {}
    for panel in LINES.values():
        for override in panel["fieldConfig"]["overrides"]:
            for one in override["properties"]:
                if one["id"] == "color":
                    color = one["value"]["fixedColor"]
                    given.setdefault(override["matcher"]["options"], set()).add(color)
    assert given and all(len(colors) == 1 for colors in given.values())
    assert not set(SERVICES.values()) & {meaning.value for meaning in Meaning}


def test_rates_of_bytes_and_cells_of_heatmaps_say_a_second() -> None:
    for name, panel in LINES.items():
        if panel["fieldConfig"]["defaults"]["unit"] == "bytes":
            assert not re.search(r"\brate\(", json.dumps(panel["targets"])), name
    for name, panel in of("heatmap").items():
        assert panel["options"]["cellValues"]["unit"] == "reqps", name
        assert not panel["targets"][0]["exemplar"], f"{name}: dots would cover the cells"


def test_names_on_tiles_can_be_read_and_are_there() -> None:
    for name, panel in of("stat").items():
        options = panel["options"]
        assert options["textMode"] == "value_and_name", name
        assert options["text"]["titleSize"] >= 12 and options["text"]["valueSize"] <= 24, name


def test_what_is_not_measured_is_grey_unless_that_is_well() -> None:
    for name, panel in of("stat").items():
        defaults = panel["fieldConfig"]["defaults"]
        base = defaults["thresholds"]["steps"][0]["color"]
        assert (base == GREY) is not defaults["noValue"].startswith(WELL), name
    for name, panel in of("table").items():
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] != "red", name


def test_a_count_is_written_out() -> None:
    """2,345 rather than 2 K."""
    for name, panel in of("stat").items():
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults.get("decimals") != 0 or defaults["unit"] != "short", name
    for name, panel in of("table").items():
        for override in panel["fieldConfig"]["overrides"]:
            given = {one["id"]: one["value"] for one in override["properties"]}
            assert given.get("decimals") != 0 or given.get("unit") != "short", name


def luminance(color: str) -> float:
    """Relative luminance by WCAG of a colour like #5794f2."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", PALETTE)
def test_a_colour_is_seen_on_dark_and_on_light(colour: str) -> None:
    dark, light = luminance("#181b1f"), luminance("#ffffff")
    assert (luminance(colour) + 0.05) / (dark + 0.05) >= 4
    assert (light + 0.05) / (luminance(colour) + 0.05) >= 2


def test_every_named_statement_has_a_colour() -> None:
    """Else Grafana would take a dark one of its own."""
    texts = [path.read_text() for path in (ROOT / "app").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r'Statement\(\s*"(\w+)"', text)}
    assert named and named - set(LABEL_VALUES["query"]) == set()


def test_names_that_are_many_have_a_wide_legend() -> None:
    many = {label for label, names in LABEL_VALUES.items() if len(names) > FEW}
    for name, panel in LINES.items():
        legends = " ".join(target["legendFormat"] for target in panel["targets"])
        shown = set(re.findall(r"{{(\w+)}}", legends)) - {"service", "event"}
        assert panel["gridPos"]["w"] >= WIDE or not shown & many, name


def test_no_line_panel_asks_for_the_largest_at_each_moment() -> None:
    for name, panel in LINES.items():
        assert "topk(" not in json.dumps(panel["targets"]), f"{name}: it would flicker"


def test_a_ratio_of_nothing_has_no_line() -> None:
    """0 / 0 is NaN, which a legend writes as 'No data'."""
    for name, panel in LINES.items():
        for target in panel["targets"]:
            if target["datasource"]["type"] != "prometheus":
                continue
            text = target["expr"]
            if "histogram_quantile" in text:
                assert text.endswith(" > 0"), name
            elif re.search(r"/ \(?sum", text) and "rate(" in text and "pg_" not in text:
                assert re.search(r"/ \(.* > 0\)$", text), name


@every_board
def test_titles_make_readable_addresses_and_fit(board: Json) -> None:
    assert re.fullmatch(r"MiniTwit [A-Za-z ]+", board["title"])
    for panel in flat(board):
        if panel["type"] not in ("row", "text"):
            # About 9 px a letter, of a twenty-fourth of 1280 px each.
            room = panel["gridPos"]["w"] * 1280 / 24 - 60
            assert 9 * len(panel["title"]) < room, panel["title"]


def test_the_overview_fits_one_screen_and_asks_little() -> None:
    board = BOARDS[f"{Board.OVERVIEW.value}.json"]
    shown = [p for p in board["panels"] if p["type"] != "row"]
    # 1000 px, less 190 px for the bars above; a unit of the grid is 38 px.
    assert max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in shown) <= 21
    asked = sum(len(p["targets"]) for p in shown)
    others = len(board["annotations"]["list"]) + len(board["templating"]["list"])
    assert asked + others <= 40
    first = shown[0]
    assert (first["title"], first["type"]) == ("Firing alerts", "table")


def test_no_panel_that_is_empty_when_all_is_well_leaves_that_unexplained() -> None:
    for dashboard in DASHBOARDS:
        shown = flat(BOARDS[f"{dashboard.board.value}.json"])
        empty = {panel.core.title for panel in dashboard.panels() if panel.empty}
        for panel in shown:
            if panel["title"] in empty:
                assert panel["fieldConfig"]["defaults"]["noValue"] != NO_DATA, panel["title"]


@every_board
def test_no_line_of_panels_leaves_a_gap(board: Json) -> None:
    widths: dict[tuple[str, int], int] = {}
    for row, panel in in_rows(board):
        at = row, panel["gridPos"]["y"]
        widths[at] = widths.get(at, 0) + panel["gridPos"]["w"]
    assert {at: width for at, width in widths.items() if width != COLUMNS} == {}


def in_rows(board: Json) -> Iterator[tuple[str, Json]]:
    """Each panel with the title of the row it stands in."""
    row = ""
    for panel in board["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
            yield from ((row, inner) for inner in panel.get("panels", ()))
        else:
            yield row, panel


LONG = {
    title: panel
    for title, panel in of("stat", "timeseries", "table").items()
    if re.search(r"30d\b", " ".join(target.get("expr", "") for target in panel["targets"]))
}


@pytest.mark.parametrize("panel", LONG.values(), ids=LONG)
def test_what_looks_back_thirty_days_says_for_how_long_there_are_samples(panel: Json) -> None:
    [since] = [t for t in panel["targets"] if t["legendFormat"] == since_when.LEGEND]
    assert f"< {PERIOD}" in since["expr"], "only where that is less"
    [override] = [
        o for o in panel["fieldConfig"]["overrides"] if o["matcher"]["options"] == since_when.LEGEND
    ]
    assert {"id": "unit", "value": "s"} in override["properties"]


def test_there_are_panels_that_look_back_thirty_days() -> None:
    assert len(LONG) >= 2
