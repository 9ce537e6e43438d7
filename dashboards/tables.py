"""Table panels: one line per series, with named, sorted and linked columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grafanalib.core as g

from dashboards.queries import Json


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its ``field``, title and format, named as in Grafana's field options.

    ``field`` is a label, or ``Value`` (of several queries ``Value #A`` and so on). ``links`` are
    data links. ``value_colours`` maps a text to its colour, ``thresholds`` a lower limit. The cell
    shows the first group of the regular expression ``regex``.
    """

    field: str
    title: str
    unit: str = ""
    width: int = 0
    decimals: int | None = None
    links: tuple[Json, ...] = ()
    value_colours: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[Json, ...] = ()
    hidden: bool = False  # a link of the row uses it
    regex: str = ""

    def override(self) -> Json:
        """Return the field override; Grafana knows the column by its new name."""
        properties = [
            {"id": name, "value": value}
            for name, value in (
                ("unit", self.unit),
                ("custom.width", self.width),
                ("decimals", self.decimals),
                ("links", list(self.links)),
                ("mappings", self._mappings()),
                ("thresholds", self._thresholds()),
                ("custom.cellOptions", self._cell()),
                ("custom.hideFrom", {"viz": True} if self.hidden else {}),
                ("custom.hidden", self.hidden),
            )
            if value or (value == 0 and name == "decimals")
        ]
        return {"matcher": {"id": "byName", "options": self.title}, "properties": properties}

    def _mappings(self) -> list[Json]:
        options = {
            text: {"color": color, "index": at}
            for at, (text, color) in enumerate(self.value_colours)
        }
        found: list[Json] = [{"type": "value", "options": options}] if options else []
        if self.regex:
            mapping = {"pattern": self.regex, "result": {"text": "$1", "index": len(options)}}
            found.append({"type": "regex", "options": mapping})
        return found

    def _thresholds(self) -> Json:
        return {"mode": "absolute", "steps": list(self.thresholds)} if self.thresholds else {}

    def _cell(self) -> Json:
        return {"type": "color-text"} if self.value_colours or self.thresholds else {}


def transformations(columns: Sequence[Column], hide: Sequence[str], several: bool) -> list[Json]:
    """Return the transformations that merge ``several`` queries and order the columns."""
    organize = {
        "id": "organize",
        "options": {
            "excludeByName": dict.fromkeys(hide, True),
            "indexByName": {column.field: at for at, column in enumerate(columns)},
            "renameByName": {column.field: column.title for column in columns},
        },
    }
    merge: list[Json] = [{"id": "merge", "options": {}}] if several else []
    return [*merge, organize]


def table(common: Json, columns: Sequence[Column], sort: Sequence[tuple[str, bool]]) -> Any:
    """Return grafanalib's table in the current schema; ``sort`` by (title, descending)."""
    cells = {"cellOptions": {"type": "auto"}, "displayMode": None, "inspect": False}
    no_value = common.pop("no_value")
    return g.Table(
        **common,
        unit="none",
        overrides=[column.override() for column in columns],
        sortBy=[g.TableSortByField(displayName=title, desc=desc) for title, desc in sort],
        extraJson={
            "fieldConfig": {"defaults": {"custom": cells, "noValue": no_value}},
            "options": {"cellHeight": "sm"},
        },
    )
