"""The rules hold to the conventions, and promtool accepts them at every pace."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser as p
import pytest
import yaml

from alerts.draining import DRAINING
from alerts.model import Alert, Recording
from alerts.rule_files import LOKI, all_alerts, files, log_alerts, render
from observability.catalog import HTTP_REQUESTS, SERVICE
from observability.conventions import DEPLOYED_TARGETS, MONITORING_TARGETS, RUNBOOKS
from observability.promql.builders import rate, select, total
from observability.stack.programs import packages
from observability.stack.programs.tools import require
from observability.stack.settings import load
from observability.time_scale import TimeScale
from tests.alerts.conftest import Promtool
from tests.dashboards.expressions import nodes

SCALES = (1, 7, 60, 1000)
ROOT = Path(__file__).parents[2]
ALERTS = {alert.name: alert for alert in all_alerts()}
COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
# Alerts that need no comparison and no waiting, and why.
UNCONDITIONAL = {
    "Watchdog": "it has to fire always, from the start",
    **dict.fromkeys(DRAINING, "it inhibits, and must be there before what it inhibits"),
}


@cache
def emitted(scale: float = 1) -> list[dict[str, Any]]:
    """Every rule, read back from the text of the files."""
    groups = [
        g for text in render(TimeScale(scale)).values() for g in yaml.safe_load(text)["groups"]
    ]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("scale", SCALES)
def test_promtool_accepts_the_rules(scale: float, promtool: Promtool, tmp_path: Path) -> None:
    paths = written(tmp_path, scale)
    done = promtool("check", "rules", "--lint-fatal", *paths)
    assert done.returncode == 0, done.stdout + done.stderr


def written(folder: Path, scale: float = 1) -> list[Path]:
    texts = {n: text for n, text in render(TimeScale(scale)).items() if not n.startswith(LOKI)}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


def test_the_distribution_s_older_promtool_accepts_them_too(tmp_path: Path) -> None:
    require(["relay"], load().cache)  # brings all of the distribution's programs
    program = packages.folder(load().cache) / "usr/bin/promtool"
    if not program.exists():
        pytest.skip("this machine's distribution brings no promtool")
    command = [str(program), "check", "rules", *map(str, written(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_labels_and_annotations(name: str) -> None:
    [rule] = [rule for rule in emitted() if rule.get("alert") == name]
    # The Watchdog's says to dashboards where the runbooks are.
    assert set(rule["labels"]) - {RUNBOOKS} == {"severity", "service"}
    assert set(rule["annotations"]) == {
        "summary", "impact", "description", "runbook_url", "dashboard_url",
        *ALERTS[name].annotations,
    }  # fmt: skip
    assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert (rule["labels"]["severity"] == "none") is (name in UNCONDITIONAL)
    assert "$value" not in str(rule["labels"])
    summary, description = rule["annotations"]["summary"], rule["annotations"]["description"]
    assert summary.count(".") == 1 and summary.endswith(".") and "{{" not in summary
    assert len(summary) < 70
    assert "$value" not in description or "the limit is" in description
    assert all(
        " | humanize" in use or "printf" in use
        for use in re.findall(r"{{[^}]*\$value[^}]*}}", description)
    )


@pytest.mark.parametrize("name", sorted(log_alerts()))
def test_every_alert_on_lines_compares(name: str) -> None:
    assert re.search(r" > [0-9.]+$", ALERTS[name].expr.text)


@pytest.mark.parametrize("name", sorted(ALERTS.keys() - UNCONDITIONAL.keys() - log_alerts()))
@pytest.mark.parametrize("scale", SCALES)
def test_every_alert_compares_and_waits_for_two_evaluations(name: str, scale: float) -> None:
    tree = p.parse(ALERTS[name].expr.text)
    operators = {
        node.op.value if hasattr(node.op, "value") else str(node.op)
        for node in nodes(tree)
        if isinstance(node, p.BinaryExpr)
    }
    assert operators & COMPARISONS
    [rule] = [rule for rule in emitted(scale) if rule.get("alert") == name]
    assert seconds(rule["for"]) >= 2 * TimeScale(scale).evaluation_interval


def seconds(duration: str) -> float:
    return p.parse_duration(duration).total_seconds()


@pytest.mark.parametrize("scale", SCALES)
def test_every_range_holds_four_scrapes(scale: float) -> None:
    ranges = [w for rule in emitted(scale) for w in re.findall(r"\[(\w+)\]", rule["expr"])]
    assert ranges
    assert min(map(seconds, ranges)) >= 4 * TimeScale(scale).scrape_interval


def durations(rule: dict[str, Any]) -> list[float]:
    ranges = re.findall(r"\[(\w+)\]", rule["expr"])
    return [seconds(text) for text in [*ranges, *([rule["for"]] if "for" in rule else [])]]


def test_the_time_scale_shortens_everything_together() -> None:
    for slow, fast in zip(emitted(), emitted(2), strict=True):
        assert [duration / 2 for duration in durations(slow)] == durations(fast)
    documents = [yaml.safe_load(text) for text in render(TimeScale(2)).values()]
    paces = {group["interval"] for document in documents for group in document["groups"]}
    assert paces == {"2s500ms", "30s"}  # those that look back for days less often


def test_what_is_simply_down_is_told_within_a_minute() -> None:
    time_scale = TimeScale()
    for name in ("MiniTwitTargetDown", "MiniTwitDatabaseDown", "MiniTwitProbeFailing"):
        # A fault just after a scrape, a scrape just after an evaluation, and `for` counted from it.
        told = (
            time_scale.scrape_interval
            + 2 * time_scale.evaluation_interval
            + ALERTS[name].for_
            + group_wait(name)
        )
        assert told <= 45, name


def group_wait(name: str, service: str = "api") -> float:
    """Seconds that a page waits in Alertmanager before the chat is told."""
    document = yaml.safe_load((ROOT / "deploy/generated/alertmanager.yml").read_text())
    [chat] = [r for r in document["route"]["routes"] if r["receiver"] == "chat" and "routes" in r]
    labels = {"alertname": name, "service": service}
    for route in chat["routes"]:
        wanted = [re.fullmatch(r'(\w+)=~?"(.*)"', text) for text in route["matchers"]]
        if all(m and re.fullmatch(m[2], labels[m[1]]) for m in wanted):
            return seconds(route["group_wait"])
    return seconds(chat["group_wait"])


def test_a_consequence_waits_for_its_cause() -> None:
    def firing(name: str) -> float:
        return ALERTS[name].for_

    cause, scrape = group_wait("MiniTwitTargetDown"), TimeScale().scrape_interval
    for name, service in (("MiniTwitProbeFailing", "api"), ("MiniTwitErrorRatio", "api")):
        late = firing("MiniTwitTargetDown") + scrape - firing(name)
        assert group_wait(name, service) >= max(cause, late)
    # Two probes that fail for the same reason are a scrape and its time-out apart.
    assert group_wait("MiniTwitProbeFailing", "web") - group_wait("MiniTwitProbeFailing") >= scrape
    for name in ("MiniTwitProbeFailing", "MiniTwitErrorRatio"):
        told = 3 * scrape + firing(name) + group_wait(name, "web")
        assert told <= 60, f"{name} of web is told within a minute"


def test_every_target_is_watched_present_or_not() -> None:
    for name, targets in (
        ("MiniTwitTargetDown", DEPLOYED_TARGETS),
        ("MiniTwitMonitorDown", MONITORING_TARGETS),
    ):
        for target in targets:
            assert f'absent(up{{job="{target}",service="{target}"}})' in ALERTS[name].expr.text


def test_names_are_unique_and_files_are_not_empty() -> None:
    names = [rule.get("alert") or (rule["record"], str(rule.get("labels"))) for rule in emitted()]
    assert len(set(names)) == len(names)
    assert all(groups for groups in files().values())


GOOD: dict[str, Any] = {
    "name": "MiniTwitSample",
    "expr": select(HTTP_REQUESTS) > 1,
    "for_": 10,
    "severity": "warning",
    "summary": "Right.",
    "impact": "nobody",
    "description": "{{ $labels.route }}",
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "TargetDown"}, "CamelCase"),
        ({"severity": "page"}, "severity"),
        ({"summary": "No full stop"}, "summary"),
        ({"summary": "{{ $value }} is much."}, "summary"),
        ({"description": "{{ $labels.rout }}"}, "no label"),
        ({"expr": total(select(HTTP_REQUESTS)) > 1}, "no label"),
        ({"service": ""}, "service"),
        ({"impact": ""}, "impact"),
    ],
)
def test_a_careless_alert_is_refused(change: dict[str, Any], complaint: str) -> None:
    Alert(**GOOD)
    with pytest.raises(ValueError, match=complaint):
        Alert(**{**GOOD, **change})


@pytest.mark.parametrize("name", ["requests_rate1m", "service:requests_total:rate1m", "A:b:c"])
def test_a_careless_recording_rule_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="level:metric:operations"):
        Recording(name, "Help.", total(rate(HTTP_REQUESTS, "1m"), SERVICE))
