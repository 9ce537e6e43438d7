"""Every command on a page is covered by a rule, and exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import commands, python
from tests.docs.shell import Block, blocks, spans, statements
from tests.parts import ROOT

PAGES = [
    ROOT / "README.md",
    *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "CHANGELOG", "SECURITY")),
    *sorted(page for page in (ROOT / "docs").glob("*.md") if page.stem != "incident-example"),
    ROOT / "docs/pictures/README.md",
]
LANGUAGES = {"sh", "text", "diff", "mermaid", "yaml", "markdown"}  # another one needs a test here
COMMAND = re.compile(r"(?:[A-Z_]+=\S* )*(?:[a-z.][\w./-]*) \S")
# Spans of several words that are no commands.
NO_COMMANDS = re.compile(r"(frame-ancestors|default-src) ")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
CODE = ("app", "alerts", "dashboards", "deploy", "observability", "simulator", "tests")
SOURCE = "".join(
    file.read_text()
    for folder in CODE
    for pattern in ("*.py", "*.sh")
    for file in (ROOT / folder).rglob(pattern)
)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def typed(page: Path) -> Iterator[Block]:
    """Yield the lines of a page's shell blocks, and the code spans that are commands."""
    for block in blocks(page):
        if block.language == "sh":
            yield from statements(block)
    for span in spans(page):
        if COMMAND.match(span.text) and not NO_COMMANDS.match(span.text):
            yield span


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_its_commands_can_be_typed(page: Path) -> None:
    found = [
        f"{name(page)}:{block.line}: {problem} in: {block.text}"
        for block in typed(page)
        for problem in commands.wrong(block.text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_options_that_it_names_alone_exist(page: Path) -> None:
    for span in spans(page):
        if span.text.startswith("--"):
            for option in OPTION.findall(span.text):
                assert option in SOURCE, f"{name(page)}:{span.line}: no {option}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_block_says_its_language(page: Path) -> None:
    unknown = [f"{name(page)}:{b.line}" for b in blocks(page) if b.language not in LANGUAGES]
    assert not unknown, f"one of {sorted(LANGUAGES)}: {unknown}"


def test_pages_have_commands() -> None:
    assert sum(len(list(typed(page))) for page in PAGES) > 150


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("frobnicate the api", "no rule covers frobnicate"),
        ("make dash boards", "no target dash"),
        ("make restart C=apis", "no C=apis"),
        ("make backup SWAP=1", "no setting SWAP"),
        ("NONSENSE=1 make up", "no setting NONSENSE"),
        ("make up && make ups", "no target ups"),
        ("make up # first\nmake ups", "no target ups"),
        ("make chat | grep 'x", "unexpected EOF"),
        ("python -m app serve --now", "app"),
        ("python -m app import-sqlite old.db --verfiy", "no option --verfiy"),
        ("python -m tests.nothing x", "no module tests.nothing"),
        ("python -m pytest tests/nothing.py", "no file tests/nothing.py"),
        ("python -c 'import'", "invalid syntax"),
        ("deploy/deploy-compose.sh --force minitwit:next", "not called like this"),
        ("deploy/smoke.sh https://example.org", "not called like this"),
        ("docker compose logs --follow apis", "no service apis in compose.yaml"),
        ("docker compose up --forever", "no rule for --forever"),
        ("docker compose exec api python /srv/app/well.py", "no /srv/app/well.py"),
        ("docker service scale minitwit_apis=2", "no service minitwit_apis=2 in the stack"),
        ("docker build --tag a:1 tests", "no Dockerfile in tests"),
        ("curl http://127.0.0.1:5001/redyz", "nobody answers 5001/redyz"),
        ("curl http://127.0.0.1:3100/loki/api/v1/query_range 'query={sevice=\"api\"}'", "sevice"),
        ("tail -f .run/logs/apis.log", "no log .run/logs/apis.log"),
        ("grep -rn nothing_like_this app/database", "finds nothing"),
        ("terraform -chdir=deploy/terraform output -raw nothing", "no output nothing"),
    ],
)
def test_a_wrong_command_is_noticed(command: str, problem: str) -> None:
    assert problem in "\n".join(commands.wrong(command))


def test_help_is_executed_and_not_guessed() -> None:
    assert "--cut-over" in python.helped("app", "import-sqlite")
