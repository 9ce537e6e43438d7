"""LogQL names only labels and events that exist; Promtail sets the very labels."""

from __future__ import annotations

import re

import pytest

from observability.catalog import LOG_LABELS, LOG_METADATA
from observability.promql.builders import matches
from observability.promql.expr import ExprError
from observability.promql.logql import lines, rate_of
from tests.parts import ROOT


def test_lines_and_rates() -> None:
    chosen = lines("$find", {"route": matches("$route")}, event="db_error")
    assert chosen == '{job="minitwit",event="db_error"} | route=~"$route" |= "$find"'
    assert rate_of(lines(), "level") == 'sum by (level) (rate({job="minitwit"} [$__interval]))'


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ExprError, match="user"):
        lines(user="x")
    with pytest.raises(ExprError, match="event 'requests'"):
        lines(event="requests")
    with pytest.raises(ExprError, match="path"):
        lines("", {"path": "/"})
    with pytest.raises(ExprError, match="path"):
        rate_of(lines(), "path")


def test_promtail_sets_these_and_no_others() -> None:
    text = (ROOT / "promtail/promtail.yml.j2").read_text()

    def names(stage: str) -> set[str]:
        found = re.search(rf"- {stage}: {{(.*)}}", text)
        assert found, stage
        return set(re.findall(r"(\w+):", found[1]))

    assert names("labels") | names("static_labels") == set(LOG_LABELS)
    assert names("structured_metadata") == set(LOG_METADATA)
