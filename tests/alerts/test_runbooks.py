"""Every alert has a runbook with all its parts, and the queries in it are right."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alerts.model import Alert
from alerts.registry import all_alerts
from observability.conventions import RUNBOOK_BASE
from tests.dashboards.expressions import unknown
from tests.parts import wait_for

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "alerts" / "runbooks"
INDEX = RUNBOOKS / "README.md"
NAMES = sorted({alert.runbook.removesuffix(".md") for alert in all_alerts()})
PARTS = ["Meaning", "Impact", "First look", "Likely causes", "Fix", "How to provoke it"]


@pytest.mark.parametrize("name", NAMES)
def test_the_runbook(name: str) -> None:
    path = RUNBOOKS / f"{name}.md"
    assert path.is_file(), f"{name} has no runbook: write {path.relative_to(ROOT)}"
    text = path.read_text()
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert all(len(part) > 20 for part in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])
    queries = re.findall(r"```promql\n(.+?)\n```", text, re.DOTALL)
    assert queries
    assert [found for query in queries for found in unknown(query)] == []


def test_no_runbook_without_its_alert() -> None:
    gone = {path.stem for path in RUNBOOKS.iterdir()} - {*NAMES, INDEX.stem}
    assert not gone, f"delete from {RUNBOOKS.relative_to(ROOT)}: {', '.join(sorted(gone))}"


@pytest.mark.parametrize("alert", list(all_alerts()), ids=lambda alert: alert.name)
def test_the_index_has_a_line_for_each_alert(alert: Alert) -> None:
    line = f"| [{alert.name}]({alert.runbook}) | {alert.severity} | {alert.summary} |"
    assert line in INDEX.read_text().splitlines(), f"{INDEX.relative_to(ROOT)} lacks: {line}"


def test_the_index_leads_to_pages_that_exist() -> None:
    pages = set(re.findall(r"\]\((\w+\.md)\)", INDEX.read_text()))
    assert {page for page in pages if not (RUNBOOKS / page).is_file()} == set()
    assert pages == {f"{name}.md" for name in NAMES}


def test_the_address_in_the_alert_leads_to_the_page() -> None:
    assert (ROOT / RUNBOOK_BASE).samefile(RUNBOOKS)
    assert all((RUNBOOKS / alert.runbook).is_file() for alert in all_alerts())


def test_settings_that_runbooks_name_exist() -> None:
    """A setting in capitals is one of the services', of the stack's or of a program's."""
    known = (ROOT / "app/settings.py").read_text() + (ROOT / "compose.yaml").read_text()
    for page in sorted(RUNBOOKS.glob("*.md")):
        for name in re.findall(r"\b(?:POOL|STATEMENT)_[A-Z_]+\b", page.read_text()):
            assert name in known, f"{page.name}: no setting is called {name}"


def test_the_query_for_the_holder_of_a_lock_finds_it(database_url: str) -> None:
    """The runbook's own SQL names the session that holds the lock, not those that wait."""
    text = (RUNBOOKS / "MiniTwitPoolExhausted.md").read_text()
    [query] = re.findall(r"```sql\n(.+?)\n```", text, re.DOTALL)

    def session(name: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(database_url, autocommit=True, application_name=name)

    with session("holder") as holder, session("waiter") as waiter, session("looker") as looker:
        looker.execute("CREATE TABLE IF NOT EXISTS locked (id int)")
        with holder.transaction():
            holder.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
            waiting = threading.Thread(target=waiter.execute, args=("SELECT * FROM locked",))
            waiting.start()
            wait_for("the waiter", lambda: looker.execute(query).fetchall(), 20)
            [found] = looker.execute(query).fetchall()
            assert (found[0], found[1]) == (holder.info.backend_pid, "holder")
        waiting.join(20)
