"""The last line of a run: what could not be tested, and why.

``--untested=fail`` fails a run that skipped a test of the log pipeline: for the project's own
pipeline, where all programs can be had.
"""

from __future__ import annotations

from collections import Counter

import pytest

PROVEN = ("LOG PIPELINE",)  # what must not be skipped where all programs can be had
SKIPPED = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(
        "--untested", choices=("tell", "fail"), default="", help="see tests/untested.py"
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Count what was skipped, by its reason."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    session.config.stash[SKIPPED] = reasons
    strict = session.config.getoption("untested") == "fail"
    if strict and any(reason.startswith(PROVEN) for reason in reasons):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say it, after all that pytest says; of several processes, the one that reports does."""
    reasons = config.stash.get(SKIPPED, None)
    if reasons is None or hasattr(config, "workerinput"):
        return
    if not reasons and not config.getoption("untested"):
        return
    print(line(reasons))
    if config.getoption("untested") == "fail" and any(r.startswith(PROVEN) for r in reasons):
        print("FAILED: the log pipeline has to be tested here.")


def line(reasons: Counter[str]) -> str:
    """One line, what was skipped most often first."""
    if not reasons:
        return "Everything was tested on this machine."
    parts = (f"{reason} ({count})" for reason, count in reasons.most_common())
    return f"Not tested on this machine: {'; '.join(parts)}."
