"""Every alert has a runbook that follows the template, and everything in it exists."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from alerts.model import Alert
from alerts.rule_files import all_alerts
from observability.conventions import RUNBOOK_BASE
from observability.dashboard_uids import Board
from tests.alerts import logql
from tests.alerts.runbook_pages import (
    ENVIRONMENTS,
    FIX,
    INDEX,
    LONGEST,
    LOOK,
    NAMES,
    OVER,
    PARTS,
    RUNBOOKS,
    SILENCE,
    read,
)
from tests.dashboards.expressions import unknown
from tests.docs import commands
from tests.parts import PATIENCE, ROOT, PostgresServer, wait_for

GRAFANA = "http://127.0.0.1:3000"
TIME = {"from": ["now-1h"], "to": ["now"]}
SETTING = re.compile(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b")
DECLARED = ("app/settings.py", "compose.yaml", "stack.yml", "docs/configuration.md")
NO_COMMANDS = re.compile(r'^\W|="|=~"|^[A-Z]+ \(|^idle in transaction$')
HOLDER = "cardinality(pg_blocking_pids"


@pytest.mark.parametrize("name", NAMES)
def test_it_follows_the_template(name: str) -> None:
    page = read(name)
    assert page.text.startswith(f"# {name}\n")
    assert tuple(page.parts) == PARTS
    assert all(len(text.strip()) >= 10 for text in page.parts.values()), "a part is empty"
    assert page.text.count("\n") <= LONGEST
    assert "supervisorctl" not in page.text
    assert ENVIRONMENTS in page.parts[FIX]
    rows = re.findall(r"^\|.+\|$", page.parts[FIX], re.MULTILINE)
    assert all(row.count(" |") >= 4 for row in rows[2:]), "each row has the three places"
    assert 'alertname="' in page.parts[SILENCE] or 'alertname=~"' in page.parts[SILENCE]
    assert page.blocks("promql", part=LOOK), "no query to look first"
    assert len(page.blocks("promql", part=OVER)) == 1, "one query says that it is over"
    assert [block.text for block in page.blocks() if block.language == "logql" and block.role] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_leads_to_the_dashboard_of_its_alert_and_to_the_logs(name: str) -> None:
    page = read(name)
    found = {}
    for link in page.links:
        if link.startswith(f"{GRAFANA}/d/"):
            parts = urlsplit(link)
            board, choice = parts.path.removeprefix("/d/"), parse_qs(parts.query)
            text = (ROOT / f"dashboards/generated/{board}.json").read_text()
            variables = {f"var-{v['name']}" for v in json.loads(text)["templating"]["list"]}
            assert choice.keys() <= {*variables, *TIME}, link
            found[board] = choice
    for board in {Board.LOGS, *(alert.board for alert in page.alerts)}:
        assert TIME.items() <= found[board].items()
        assert found[board]["var-service"]


@pytest.mark.parametrize("name", NAMES)
def test_its_queries_name_what_is_measured(name: str) -> None:
    page = read(name)
    for block in page.blocks("promql"):
        assert unknown(block.text) == [], block.text
    for block in page.blocks("logql"):
        assert logql.unknown(block.text) == [], block.text
    assert {b.language for b in page.blocks("promql", "logql", "sql", "sh")} >= {"promql"}
    assert page.text.count("```") == 2 * len(page.blocks("promql", "logql", "sql", "sh"))


@pytest.mark.parametrize("name", NAMES)
def test_its_commands_can_be_typed(name: str) -> None:
    page = read(name)
    typed = [*page.spans, *(block.text for block in page.blocks("sh"))]
    typed = [text for text in typed if not NO_COMMANDS.search(text)]
    assert [(text, found) for text in typed if (found := commands.wrong(text))] == []
    known = "".join((ROOT / file).read_text() for file in DECLARED)
    assert [setting for setting in SETTING.findall(page.text) if setting not in known] == []
    for link in page.links:
        if not link.startswith("http"):
            file, _, part = link.partition("#")
            target = RUNBOOKS / file
            assert target.is_file(), link
            assert not part or part in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The fragments under which a page's headings are found."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", NAMES)
def test_its_statements_run(name: str, postgres_server: PostgresServer, database_url: str) -> None:
    """As the role that the block names, each statement by itself, as psql does."""
    for block in read(name).blocks("sql"):
        assert block.role in ("owner", "monitor", "backup"), f"no known role: {block.text}"
        database = database_url.rpartition("/")[2]
        owner = block.role == "owner"
        url = database_url if owner else postgres_server.role_url(block.role, database)
        with psycopg.connect(url, autocommit=True) as session:
            for statement in filter(str.strip, block.text.split(";")):
                session.execute(statement)


def test_no_runbook_without_its_alert() -> None:
    gone = {path.stem for path in RUNBOOKS.iterdir()} - {*NAMES, INDEX.stem}
    assert not gone, f"delete from {RUNBOOKS.relative_to(ROOT)}: {', '.join(sorted(gone))}"


@pytest.mark.parametrize("alert", list(all_alerts()), ids=lambda alert: alert.name)
def test_the_index_has_a_line_for_each_alert(alert: Alert) -> None:
    line = f"| [{alert.name}]({alert.runbook_file}) | {alert.severity} | {alert.summary} |"
    assert line in INDEX.read_text().splitlines(), f"{INDEX.relative_to(ROOT)} lacks: {line}"


def test_the_index_leads_to_pages_that_exist() -> None:
    pages = set(re.findall(r"\]\((\w+\.md)\)", INDEX.read_text()))
    assert {page for page in pages if not (RUNBOOKS / page).is_file()} == set()
    assert pages == {f"{name}.md" for name in NAMES}


def test_the_address_in_the_alert_leads_to_the_page() -> None:
    assert (ROOT / RUNBOOK_BASE).samefile(RUNBOOKS)
    assert all((RUNBOOKS / alert.runbook_file).is_file() for alert in all_alerts())


def test_the_query_for_the_holder_of_a_lock_finds_it(database_url: str) -> None:
    """The runbooks' own SQL names the session that holds the lock, not those that wait."""
    found = [b.text for name in NAMES for b in read(name).blocks("sql") if HOLDER in b.text]
    assert len(found) > 1
    [query] = set(found)

    def session(name: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(database_url, autocommit=True, application_name=name)

    with session("holder") as holder, session("waiter") as waiter, session("looker") as looker:
        looker.execute("CREATE TABLE IF NOT EXISTS locked (id int)")
        with holder.transaction():
            holder.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
            waiting = threading.Thread(target=waiter.execute, args=("SELECT * FROM locked",))
            waiting.start()
            wait_for("the waiter", lambda: looker.execute(query).fetchall())
            [row] = looker.execute(query).fetchall()
            assert (row[0], row[1]) == (holder.info.backend_pid, "holder")
        waiting.join(PATIENCE)
