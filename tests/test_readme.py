"""What the README and the pages of docs/ say exists."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from alerts.rule_files import all_alerts
from dashboards.registry import DASHBOARDS
from tests import results
from tests.bench import scaling
from tests.drills.record import PROVES, RUNS
from tests.drills.table import UNDRILLED
from tests.parts import ROOT
from tests.tables import ELSEWHERE, PAGE, filled, made

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *DOCS, *(ROOT / f"{n}.md" for n in ("CONTRIBUTING", "CHANGELOG", "SECURITY"))]
FOLDERS = "tests|observability|app|dashboards|alerts|simulator|deploy|promtail|blackbox|results"
CARD = (
    "starlette", "uvicorn", "psycopg-pool", "opentelemetry-sdk",
    "opentelemetry-instrumentation-asgi", "prometheus-client", "python-logging-loki", "grafanalib",
    "pytest",
)  # fmt: skip


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    text = README.read_text()
    assert text.count("\n") <= 200
    assert [page.name for page in DOCS if f"docs/{page.name}" not in text] == []
    assert [library for library in CARD if library not in text] == []
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith((".", "_"))}
    known = {"build", "test-output", "minitwit.egg-info"}
    assert [one for one in folders - known if f"`{one}/`" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    commands = set(re.findall(r"`make ([a-z-]+)", text))
    commands |= set(re.findall(r"^\s*make ([a-z-]+)", text, re.MULTILINE))
    assert commands <= targets()
    written = set(re.findall(r"Write\s+`([^`]+)`", text))  # by those who follow the page
    for path in set(re.findall(rf"`((?:{FOLDERS})/[\w/.-]+)`", text)) - written:
        assert "NAME" in path or (ROOT / path).exists(), path
    # Blocks may show files that those who follow the page write elsewhere.
    outside = re.sub(r"^ *(```+).*?^ *\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", outside):
        assert link.startswith("http") or (page.parent / link).exists(), link


def test_the_settings_of_the_configuration_exist() -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    source = (ROOT / "app/settings.py").read_text()
    deployed = (ROOT / "compose.yaml").read_text()
    table = text[text.index("| setting |") : text.index("## The run without Docker")]
    found = {
        setting
        for row in table.splitlines()[2:]
        if row.startswith("| `")
        for setting in re.findall(r"`([A-Z_]+)`", row.split("|")[1])
    }
    assert len(found) > 20
    known = {s for s in found if f'"{s}"' in source or f"${{{s}:-" in deployed}
    assert found - known == set()


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
    text = (ROOT / "docs/security.md").read_text()
    head = re.search(r"^\| risk \|.*$", text, re.MULTILINE)
    assert head
    table = text[head.start() :].partition("\n\n")[0]
    rows = [row.split("|") for row in table.splitlines()[2:]]
    for risk in RISKS:
        assert any(risk in row[1] for row in rows), risk
    for row in rows:
        proofs = re.findall(r"`(tests/[\w/.]+)`", "|".join(row[2:]))
        assert proofs, row[1]
        for proof in proofs:
            assert re.search(r"^def test_", (ROOT / proof).read_text(), re.MULTILINE), proof


@pytest.mark.parametrize("table", made())
def test_its_tables_are_those_of_the_result_files_and_the_code(table: str) -> None:
    text = ELSEWHERE.get(table, PAGE).read_text()
    assert text.count(f"<!-- {table} -->\n") == 1
    assert filled(text) == text, "make tables"


def test_how_far_it_goes_is_written_from_the_result_files() -> None:
    assert scaling.PAGE.read_text() == scaling.text(), "make tables"


def test_each_alert_was_drilled_three_times() -> None:
    rows = results.read("drill")["rows"]
    times = Counter((row["drill"], row["fault"], row["alert"]) for row in rows)
    assert set(times) <= PROVES, "a drill has changed; run it again"
    assert {row[-1] for row in PROVES} == {a.name for a in all_alerts()} - UNDRILLED.keys()
    for drill, what, alert in PROVES:
        assert times[drill, what, alert] >= RUNS, (drill, alert)
