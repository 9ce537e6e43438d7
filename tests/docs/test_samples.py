"""The sample outputs on pages have the shape of what the code prints."""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from alerts.incident.render import FILL
from alerts.rule_files import all_alerts
from observability.catalog import EVENTS, LOG_FIELDS, LOG_LABELS, LOG_METADATA
from observability.stack import commands as stack
from observability.stack.components import COMPONENTS
from observability.stack.local import checks, status
from observability.stack.local.layout import Layout
from observability.stack.settings import load
from tests.docs.shell import blocks
from tests.docs.test_commands import PAGES, name
from tests.drills.site import LINE
from tests.parts import ROOT

REQUEST = r"[0-9a-f]{32}"
SPAN = re.compile(rf"({REQUEST}) (-|[0-9a-f]{{16}}) +([0-9a-f]{{16}}) (api|web) (client|server)"
                  r" '[^']+' \d+ ms \w+")  # fmt: skip
CLASSES = {
    node.name
    for folder in ("app", "observability/instrument")
    for file in (ROOT / folder).rglob("*.py")
    for node in ast.walk(ast.parse(file.read_text()))
    if isinstance(node, ast.ClassDef)
}
Printed = Callable[[], str]


def starts(text: str, monkeypatch: pytest.MonkeyPatch, printed: Printed) -> None:
    """``make up``: the very lines, of the same components; ``...`` ends a table with gaps."""
    shown = {
        found[1]: found
        for found in re.finditer(
            r"^(\S+) +healthy +(127\S+) +(\d+) +([\d.]+) s$", text, re.MULTILINE
        )
    }
    assert len(shown) >= 3
    components = [one for one in COMPONENTS.values() if one.name != "preview"]
    well = checks.CheckResult("ok", "")
    rows = [
        status.Row(
            one.name, "healthy", f"127.0.0.1:{one.port}", int(shown[one.name][3]), well
        ) if one.name in shown else status.Row(one.name, "healthy", "", 0, well)
        for one in components
    ]  # fmt: skip
    took = {name: float(found[4]) for name, found in shown.items()}
    layout = Layout(load(), tuple(components), {})
    begun = argparse.Namespace(took=took)
    monkeypatch.setattr(stack, "up", lambda *_: (layout, begun))
    monkeypatch.setattr(stack, "shortfall", lambda _: "")
    monkeypatch.setattr(status, "look", lambda *_, **__: rows)
    # This process runs other tests: its files stay readable, its environment as it was.
    monkeypatch.setattr("os.umask", lambda _: 0)
    monkeypatch.setattr(stack, "forget_libpq", lambda: None)
    monkeypatch.setattr(stack, "spare_loopback", lambda: None)
    assert stack.main(["up"]) == 0
    output = printed()
    table, _, rest = text.partition("...\n")
    lines = iter(_plain(output))
    for line in _plain(table):
        assert line in lines, f"not in this order: {line}, but\n{output}"
    assert "\n".join(_plain(output)).endswith("\n".join(_plain(rest)))


def _plain(text: str) -> list[str]:
    """Return the lines without what differs from run to run."""
    text = re.sub(r"after [\d.]+ s", "after N s", text)
    return [re.sub(r"\S*/secrets/", "secrets/", line) for line in text.splitlines()]


def is_a_message(text: str, *_: object) -> None:
    """The channel's line for an alert: its own words, and links of the platform."""
    found = LINE.fullmatch("now " + " ".join(text.split()))
    assert found
    [alert] = [one for one in all_alerts() if one.name == found[4]]
    assert found[2] == alert.severity
    for part in (alert.summary, f"Hurts {alert.impact}.", f"runbooks/{alert.runbook_file} "):
        assert part in found[6]
    assert f"/d/{alert.board}?var-service={found[3]}" in found[6]


def is_a_head(text: str, *_: object) -> None:
    """An answer's first line and its id."""
    assert re.fullmatch(rf"HTTP/1.1 503 Service Unavailable\nx-request-id: {REQUEST}\n", text)


def are_log_lines(text: str, *_: object) -> None:
    """One request's log lines: fields and events of the catalogue."""
    lines = [json.loads(line) for line in text.splitlines()]
    known = {"ts", "message", *LOG_LABELS, *LOG_METADATA, *LOG_FIELDS}
    assert {key for line in lines for key in line} <= known
    assert {line["event"] for line in lines} <= set(EVENTS)
    assert len({line["request_id"] for line in lines}) == 1


def are_spans(text: str, *_: object) -> None:
    """What tests/collector.py prints: each parent is there."""
    found = [SPAN.fullmatch(line) for line in text.splitlines()]
    spans = [one.groups() for one in found if one]
    assert len(spans) == len(found) and len({span[0] for span in spans}) == 1
    assert {span[1] for span in spans} <= {"-", *(span[2] for span in spans)}


def are_layers(text: str, *_: object) -> None:
    """A drawing of the middleware: each name is a class."""
    named = set(re.findall(r"\b[A-Z]\w+", text))
    assert len(named) > 3 and named - CLASSES <= {"OpenTelemetryMiddleware"}


# page, how the block begins → its check
SAMPLES: dict[tuple[str, str], Callable[..., None]] = {
    ("README.md", "component "): starts,
    ("README.md", "[FIRING] "): is_a_message,
    ("docs/follow-a-request.md", "HTTP/1.1 "): is_a_head,
    ("docs/follow-a-request.md", '{"ts":'): are_log_lines,
    ("docs/follow-a-request.md", "4308cce5"): are_spans,
    ("docs/follow-a-request.md", "Health "): are_layers,
}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_its_samples_have_the_shape_of_what_is_printed(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in (block for block in blocks(page) if block.language == "text"):
        rules = [
            check
            for (of, begin), check in SAMPLES.items()
            if of == name(page) and block.text.startswith(begin)
        ]
        assert len(rules) == 1, f"{name(page)}:{block.line}: no test of its shape"
        rules[0](block.text, monkeypatch, lambda: capsys.readouterr().out)


def test_the_samples_of_the_walk_are_of_one_request() -> None:
    text = (ROOT / "docs/follow-a-request.md").read_text()
    assert len(set(re.findall(rf"\b{REQUEST}\b", text))) == 1


def test_the_example_of_an_incident_has_the_headings_of_a_report() -> None:
    text = (ROOT / "docs/incident-example.md").read_text()
    source = (ROOT / "alerts/incident/render.py").read_text()
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert len(heads) > 8 and FILL in text
    assert [head for head in heads if f'("{head}", ' not in source] == []
