"""docs/add-a-metric.md, followed as it stands in a checkout of its own, ends green."""

from __future__ import annotations

from pathlib import Path

from tests.parts import ROOT
from tests.walkthrough import copy, generate, run, sections

# What of `make test` looks at metrics and panels: all of it would take as long again.
CHECKS = (
    "tests/dashboards/test_expressions.py", "tests/dashboards/test_panels.py",
    "tests/observability/instrument/test_metrics.py",
)  # fmt: skip
UNUSED = f"{CHECKS[0]}::test_every_metric_is_shown_or_alerted_on_or_declared_internal"
NAME = "minitwit_list_limit_messages"


def test_who_follows_the_page_ends_green(tmp_path: Path) -> None:
    checkout = copy(tmp_path / "checkout")
    declare, record, show, _ = sections(ROOT / "docs/add-a-metric.md")
    for edit in (*declare, *record):
        edit.make(checkout)
    unused = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", UNUSED)
    assert unused.returncode == 1, "a metric that nobody shows is not noticed"
    assert NAME in unused.stdout
    for edit in show:
        edit.make(checkout)
    generate(checkout)
    assert NAME in (checkout / "dashboards/generated/minitwit-business.json").read_text()
    done = run(checkout, "ruff", "format", "--check", "app", "observability", "dashboards")
    assert done.returncode == 0, done.stdout
    done = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", "-x", *CHECKS)
    assert done.returncode == 0, done.stdout[-3000:]
