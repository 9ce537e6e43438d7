"""What the README says exists."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from alerts.registry import all_alerts
from dashboards.registry import DASHBOARDS
from tests import results
from tests.drills.table import DRILLS, UNDRILLED
from tests.parts import ROOT
from tests.tables import TABLES, filled

README = (ROOT / "README.md").read_text()


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)`", README)) | set(
        re.findall(r"^make ([a-z]+)", README, re.MULTILINE)
    )
    assert {"up", "test"} <= named
    assert named <= targets


def test_files_and_settings_exist() -> None:
    for path in re.findall(r"`((?:tests|observability|app|dashboards)/[\w/.]+)`", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(([\w/.]+)\)", README):
        assert (ROOT / path).exists(), path
    source = (ROOT / "app/settings.py").read_text()
    table = README[README.index("| setting |") : README.index("`RUN_DIR` (default")]
    for row in table.splitlines()[2:]:
        for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1] if "|" in row else ""):
            assert f'"{name}"' in source, name


def test_each_dashboard_is_in_the_gallery() -> None:
    gallery = (ROOT / "docs/dashboards.md").read_text()
    for dashboard in DASHBOARDS:
        row = f"dashboards/generated/{dashboard.board.value}.json) | {dashboard.question} | "
        rows = "; ".join(part.title for part in dashboard.rows if part.title)
        assert row + rows + " |" in gallery


# What the safety of this service rests on: each has its row, and each row a proof.
RISKS = (
    "SQL injection", "script injection", "cross-site requests", "guessing passwords",
    "stolen database", "made-up addresses", "clickjacking", "bodies", "hold connections",
    "log lines", "secrets", "made-up hosts", "who has an account", "crowd", "metrics", "database",
    "hostile",
)  # fmt: skip


def test_each_risk_names_tests_that_exist() -> None:
    table = README[README.index("| risk |") : README.index("## Measured")]
    rows = [row.split("|") for row in table.splitlines()[2:] if row.startswith("|")]
    for risk in RISKS:
        assert any(risk in row[1] for row in rows), risk
    for row in rows:
        proofs = re.findall(r"`(tests/[\w/.]+)`", row[3])
        assert proofs, row[1]
        for proof in proofs:
            assert re.search(r"^def test_", (ROOT / proof).read_text(), re.MULTILINE), proof


@pytest.mark.parametrize("name", TABLES)
def test_its_tables_are_those_of_the_result_files(name: str) -> None:
    assert README.count(f"<!-- {name} -->\n") == 1
    assert (ROOT / "results" / f"{name}.json").exists()
    assert filled(README) == README, "make tables"


def test_each_alert_was_drilled_three_times() -> None:
    declared = {drill.name for drill in DRILLS}
    rows = results.read("drill")["rows"]
    times = Counter(row["alert"] for row in rows if row["drill"] in declared)
    drilled = {name for drill in DRILLS for name in drill.fires}
    assert drilled == set(times) == {alert.name for alert in all_alerts()} - UNDRILLED.keys()
    assert min(times.values()) >= 3
