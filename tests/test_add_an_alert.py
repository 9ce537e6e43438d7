"""docs/add-an-alert.md, followed as it stands in a checkout of its own, ends green."""

from __future__ import annotations

from pathlib import Path

from tests.parts import ROOT
from tests.walkthrough import copy, generate, run, sections

NAME = "MiniTwitFilesHigh"
# What of `make test` looks at alerts: all of it would take minutes.
TABLE, RUNBOOKS, CASES = "tests/drills/test_table.py", "test_runbooks.py", "test_cases.py"
CHECKS = (
    TABLE,
    *(f"tests/alerts/{file}" for file in (RUNBOOKS, CASES, "test_rules.py")),
    "tests/test_readme.py::test_each_alert_was_drilled_three_times",
)


def test_who_follows_the_page_ends_green(tmp_path: Path) -> None:
    checkout = copy(tmp_path / "checkout")
    rule, *rest = sections(ROOT / "docs/add-an-alert.md")
    for edit in rule:
        edit.make(checkout)
    generate(checkout)
    assert NAME in (checkout / "alerts/generated/alerts.yml").read_text()
    named = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", "-k", NAME, *CHECKS[:3])
    assert named.returncode == 1
    for missing in (TABLE, f"alerts/runbooks/{NAME}.md", f"tests/alerts/cases/{NAME}.yml"):
        assert missing in named.stdout, f"nobody says that {missing} is missing"
    for edit in (edit for section in rest for edit in section):
        edit.make(checkout)
    done = run(checkout, "ruff", "format", "--check", "alerts", "tests/drills")
    assert done.returncode == 0, done.stdout
    chosen = f"{NAME} or not Watchdog and not MiniTwit"  # other alerts have their own tests
    done = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", "-x", "-k", chosen, *CHECKS)
    assert done.returncode == 0, done.stdout[-3000:]
