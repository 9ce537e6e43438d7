"""What a drill expects of a runbook is asked there."""

from __future__ import annotations

import pytest

from tests.alerts.runbook_pages import LOOK, NAMES, read
from tests.drills.findings import FINDINGS, VERIFIED
from tests.drills.runbook import page_of
from tests.drills.table import DRILLS

EXPECTED = [(name, page) for name, pages in FINDINGS.items() for page in pages]


@pytest.mark.parametrize(("drill", "page"), EXPECTED)
def test_each_finding_has_its_question(drill: str, page: str) -> None:
    questions = [b.question for b in read(page).blocks("promql", "logql", "sql", part=LOOK)]
    assert len(set(questions)) == len(questions)
    for asked in FINDINGS[drill][page]:
        assert len([q for q in questions if q.startswith(asked)]) == 1, asked


def test_every_page_of_a_drill_is_there() -> None:
    assert FINDINGS.keys() >= VERIFIED
    assert {page_of(alert) for drill in DRILLS for alert in drill.fires} <= set(NAMES)


def test_every_drill_says_what_its_runbook_finds() -> None:
    """Except burn rates, whose pages look back further, and two faults in turn."""
    assert {drill.name for drill in DRILLS} - FINDINGS.keys() <= {"burn", "api-then-web"}
