"""The operators: where each applies, and which checks should notice its mutants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.mutate import alertmanager, boards, instrumentation, redactions, rules
from tests.mutate.mutant import Change, Mutant, made

SERVICES = ("app/**/*.py", "observability/instrument/*.py")
ALERTS = tuple(
    f"alerts/{name}.py"
    for name in ("objectives", "burn", "services", "saturation", "database", "business",
                 "monitoring", "draining", "logs")
)  # fmt: skip
TEMPLATE = ("alerts/alertmanager.yml.j2",)
BOARDS = ("dashboards/boards/*.py",)
FROM_BOARDS = ("dashboards",)
FROM_ALERTS = ("dashboards", "alerts")
FROM_TEMPLATES = ("observability.stack.config.generate",)
# Files → the tests that should notice, the quickest first. The first row that fits is taken.
COUNTED = {
    "app/database/": ("tests/app/test_counted.py", "tests/app/test_trouble.py"),
    "app/services/": ("tests/app/test_counted.py", "tests/app/test_probe_user.py"),
    "app/api/": ("tests/app/test_counted.py", "tests/app/test_probe_user.py"),
    "app/web/": ("tests/web/test_trouble.py",),
    "app/": ("tests/observability/instrument/test_metrics.py", "tests/app/test_counted.py"),
    "observability/instrument/loki.py": ("tests/observability/instrument/test_loki.py",),
    "observability/instrument/logs.py": (
        "tests/observability/instrument/test_logs.py",
        "tests/observability/instrument/test_loki.py",
    ),
    "observability/instrument/tail_sampling.py": (
        "tests/observability/instrument/test_sampling.py",
        "tests/observability/instrument/test_tracing.py",
    ),
    "observability/instrument/export_counts.py": (
        "tests/observability/instrument/test_tracing.py",
    ),
    "observability/instrument/": (
        "tests/observability/instrument/test_metrics.py",
        "tests/app/test_counted.py",
    ),
}
RULES = {
    "": (
        "tests/alerts/test_cases.py",
        "tests/alerts/test_rules.py",
        "tests/alerts/test_agreement.py",
    )
}
TOLD = {
    "": (
        "tests/alerts/test_told.py",
        "tests/stack/test_configuration.py",
        "tests/alerts/test_routes.py",
        "tests/alerts/test_inhibitions.py",
        "tests/alerts/test_rules.py",
    )
}
REDACTED = {"": ("tests/observability/instrument/test_redaction.py",)}
SHOWN = {
    "": (
        "tests/dashboards/test_units.py",
        "tests/dashboards/test_words.py",
        "tests/dashboards/test_panels.py",
        "tests/dashboards/test_reading.py",
        "tests/dashboards/test_expressions.py",
    )
}


@dataclass(frozen=True)
class Operator:
    """A kind of mistake: ``find`` returns its changes of a file's text."""

    name: str
    find: Callable[[str], Iterator[Change]]
    files: tuple[str, ...]
    checks: Mapping[str, tuple[str, ...]]
    generators: tuple[str, ...] = ()  # of what is made from these files

    @property
    def help(self) -> str:
        """What it does, on one line."""
        return (self.find.__doc__ or "").strip().splitlines()[0]

    def mutants(self, root: Path) -> Iterator[Mutant]:
        """Return every mutant of the checkout at ``root``, in the order of the files."""
        for pattern in self.files:
            for path in sorted(root.glob(pattern)):
                name, text = str(path.relative_to(root)), path.read_text()
                yield from made(self.name, name, text, self.find(text))

    def tests(self, file: str) -> tuple[str, ...]:
        """Return the files of tests that should notice a mutant of ``file``."""
        return next(tests for prefix, tests in self.checks.items() if file.startswith(prefix))


OPERATORS = {
    one.name: one
    for one in (
        Operator("left-out", instrumentation.left_out, SERVICES, COUNTED),
        Operator("doubled", instrumentation.doubled, SERVICES, COUNTED),
        Operator("label", instrumentation.label_value, SERVICES, COUNTED),
        Operator("threshold", rules.threshold, ALERTS, RULES, FROM_ALERTS),
        Operator("for", rules.wait, ALERTS, RULES, FROM_ALERTS),
        Operator("window", rules.window, ALERTS, RULES, FROM_ALERTS),
        Operator("comparison", rules.comparison, ALERTS, RULES, FROM_ALERTS),
        Operator("receiver", alertmanager.receiver, TEMPLATE, TOLD, FROM_TEMPLATES),
        Operator("route", alertmanager.route, TEMPLATE, TOLD, FROM_TEMPLATES),
        Operator("inhibition", alertmanager.inhibition, TEMPLATE, TOLD, FROM_TEMPLATES),
        Operator(
            "redaction", redactions.redaction, ("observability/instrument/redaction.py",), REDACTED
        ),
        Operator("unit", boards.unit, BOARDS, SHOWN, FROM_BOARDS),
        Operator("query", boards.query, BOARDS, SHOWN, FROM_BOARDS),
    )
}
