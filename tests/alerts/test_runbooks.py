"""Every alert has a runbook with all its parts, and the queries in it are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerts.registry import all_alerts
from observability.conventions import RUNBOOK_BASE
from tests.dashboards.expressions import unknown

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "alerts" / "runbooks"
NAMES = sorted({alert.runbook.removesuffix(".md") for alert in all_alerts()})
PARTS = ["Meaning", "Impact", "First look", "Likely causes", "Fix", "How to provoke it"]


@pytest.mark.parametrize("name", NAMES)
def test_the_runbook(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert all(len(part) > 20 for part in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])
    queries = re.findall(r"```promql\n(.+?)\n```", text, re.DOTALL)
    assert queries
    assert [found for query in queries for found in unknown(query)] == []


def test_no_runbook_without_its_alert() -> None:
    assert {path.stem for path in RUNBOOKS.iterdir()} == set(NAMES)


def test_the_address_in_the_alert_leads_to_the_page() -> None:
    assert (ROOT / RUNBOOK_BASE).samefile(RUNBOOKS)
    assert all((RUNBOOKS / alert.runbook).is_file() for alert in all_alerts())
