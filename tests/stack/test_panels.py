"""Every expression of every panel, variable and annotation, asked of a platform that runs.

What Grafana would ask is asked: the generated JSON, its variables filled in with All and with
each value that they offer. A panel that is empty when all is well must be, and fills under a fault.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from dashboards.registry import DASHBOARDS
from observability.conventions import DEPLOYED_TARGETS, PRODUCT, SAMPLES_A_SECOND
from observability.exporters import METRICS
from observability.stack.local.up import absent
from tests.dashboards.expressions import metrics
from tests.dashboards.interpolation import interpolate
from tests.parts import request, wait_for
from tests.stack.panels import (
    CHOSEN,
    EMPTY,
    WINDOW,
    Json,
    Question,
    answered,
    boards,
    everything,
    get,
    has_data,
    questions,
)
from tests.stack.platform import Platform

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]
LOGS = ("loki", "promtail")
# What Prometheus adds to every scrape.
SCRAPE = {
    "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
    "scrape_series_added", "up",
}  # fmt: skip
TRACES = ("tempo",)
# Panels whose fault is no part of this platform: where they are proven instead.
ELSEWHERE = {
    ("minitwit-outside", "Certificates"): "test_probes.py",
    ("minitwit-trace", "Slow"): "the drill of a slow database",
    ("minitwit-deploys", "Component restarts"): "the drill of a component that restarts",
}

ERRORS = 'minitwit_log_records_total{level=~"error|critical"} > 0'
FIRED = 'max_over_time(ALERTS{alertstate="firing",severity!="none"}[1h])'
ALL = "sum(minitwit_http_request_duration_seconds_count)"
IN_TIME = 'sum(minitwit_http_request_duration_seconds_bucket{le="0.3"})'
# What fills them besides a fault: on a machine without time a request is late or fails. Prometheus
# knows of it by another way.
CAUSES = {
    ("minitwit-overview", "Firing alerts"): FIRED,
    ("minitwit-deploys", "Component restarts"): "minitwit_component_restarts_total > 0",
    ("minitwit-logs", "Errors"): ERRORS,
    ("minitwit-logs", "Error lines"): ERRORS,
    ("minitwit-logs", "Database errors"): "minitwit_db_errors_total > 0",
    ("minitwit-trace", "Failed"): 'minitwit_http_requests_total{status=~"5.."} > 0',
    ("minitwit-trace", "Slow"): f"{ALL} - {IN_TIME} > 0",
}


def shown(stack: Platform) -> list[Json]:
    """The dashboards whose sources run: without one, a skipped test below says so."""
    logs, traced = absent(stack.settings, LOGS), absent(stack.settings, TRACES)
    return [
        b
        for b in boards()
        if not (logs and any(about_logs(q) for q in questions(b)))
        and not (traced and any(q.kind == "tempo" for q in questions(b)))
    ]


def about_logs(question: Question) -> bool:
    return question.kind == "loki" or bool(re.search(r"\b(loki|promtail)_", question.expression))


def test_loki_is_there_to_be_asked(stack: Platform) -> None:
    if absent(stack.settings, LOGS):
        pytest.skip("LOG PIPELINE NOT TESTED in panels: Loki or Promtail is not on this machine")
    assert len(shown(stack)) >= len(DASHBOARDS) - 1


def test_tempo_is_there_to_be_asked(stack: Platform) -> None:
    if absent(stack.settings, TRACES):
        pytest.skip("PANELS OF TRACES NOT PROVEN: Tempo is not on this machine")


def values(stack: Platform, board: Json) -> dict[str, list[str]]:
    """What each variable offers when all others are All."""
    offered: dict[str, list[str]] = {}
    for variable in board["templating"]["list"]:
        if variable["type"] in CHOSEN:
            offered[variable["name"]] = CHOSEN[variable["type"]]
        if variable["type"] == "query":
            query = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert query, variable
            series = interpolate(query[1], WINDOW, everything(board), ".+")
            found = get(stack, "prometheus", "/api/v1/series", **{"match[]": series})
            offered[variable["name"]] = sorted({one[query[2]] for one in found})
    return offered


def happened(stack: Platform, question: Question) -> bool:
    """Whether something went wrong, so that a panel about it has to show it."""
    return bool(stack.prometheus(CAUSES[question.board, question.panel]))


def test_what_may_be_empty_has_a_proof() -> None:
    assert {*CAUSES, *ELSEWHERE} == set(EMPTY)


def test_every_panel_shows_data(stack: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    # Somebody asks for what there is not: the one line that a panel about clients waits for.
    over = stack.healthy_since + 3 * WINDOW.step
    wait_for("the start to be over", lambda: time.time() > over)
    assert request("GET", stack.url("api") + "/nothing/here").status == 404
    table = []
    for board in shown(stack):
        asked, all_of = list(questions(board)), everything(board)
        filled = [question for question in asked if not question.empty]
        for question in filled:
            wait_for(f"data for {question}", partial(answered, stack, question, all_of))
        offered = values(stack, board)
        assert all(offered.values()), (board["uid"], offered)
        for question in filled:
            what = f"data for {question} of {offered}"
            wait_for(what, partial(answered, stack, question, offered))
        quiet = [question for question in asked if question.empty]
        for question in quiet:
            if answered(stack, question, all_of):
                wait_for(f"what fills {question}", partial(happened, stack, question))
        panels = {question.panel for question in asked}
        table.append((board["uid"], len(panels), len(asked), len(filled), len(quiet)))
    with capsys.disabled():
        print(coverage(table))


def coverage(table: list[tuple[str, int, int, int, int]]) -> str:
    """Return what was proven by board, and what is empty when healthy, with the reason."""
    total = ("all", *(sum(column) for column in list(zip(*table, strict=True))[1:]))
    lines = ["", f"{'dashboard':24}panels  expressions  with data  empty when well"]
    lines += [f"{uid:24}{p:6}{x:13}{d:11}{e:17}" for uid, p, x, d, e in (*table, total)]
    lines.append(f"{100 * (total[3] + total[4]) / total[2]:g} % proven; empty when all is well:")
    for (uid, panel), reason in EMPTY.items():
        proof = ELSEWHERE.get((uid, panel), "a fault fills it, below")
        lines.append(f"  {uid}: {panel}: {reason} ({proof})")
    return "\n".join(lines)


def mutants(question: Question) -> Iterator[Question]:
    """A question with its metrics renamed, and with the labels that it looks for renamed."""
    expression = question.expression
    if question.kind == "prometheus":
        for metric in metrics(expression):
            expression = re.sub(rf"\b{metric}", f"mutant_{metric}", expression)
        yield replace(question, expression=expression)
    expression = re.sub(r"{(\w+)(=~?\"[^\"])", r"{mutant\2", question.expression)
    if expression != question.expression:
        yield replace(question, expression=expression)


def test_a_renamed_metric_a_wrong_label_or_uid_shows_in_every_panel(
    stack: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the proof above: each question was answered as it stands."""
    count = 0
    for board in shown(stack):
        for question in questions(board):
            changed = list(mutants(question))
            assert changed, f"nothing can be renamed in {question}"
            for mutant in changed:
                assert not answered(stack, mutant, everything(board)), mutant
            count += len(changed)
            with pytest.raises(KeyError):
                answered(stack, replace(question, uid="mutant"), everything(board))
    # Of all boards; without Loki those about logs are not shown, and said to be skipped.
    assert count > 200 or absent(stack.settings, LOGS)
    with capsys.disabled():
        print(f"\nnoticed: {count} renamed metrics and labels")


def shows_what_happened(stack: Platform, annotation: Json) -> bool:
    """Whether it shows what the chat tells, which is told seconds later."""
    shows = has_data(stack, annotation["expr"], instant=False)
    critical = any("[FIRING] critical" in line for line in stack.chat_lines())
    return shows == (annotation["name"] == "Deploys" or critical)


def test_annotations(stack: Platform) -> None:
    for board in shown(stack):
        for annotation in board["annotations"]["list"]:
            wait_for(f"the truth of {annotation}", partial(shows_what_happened, stack, annotation))


def test_what_is_empty_when_all_is_well_fills_under_a_fault(stack: Platform) -> None:
    """The database stops, and a stranger asks for what there is not."""
    stack.stop("postgres")
    try:
        assert request("GET", stack.url("api") + "/nothing/here").status == 404
        for board in shown(stack):
            for question in questions(board):
                if question.empty and (question.board, question.panel) not in ELSEWHERE:
                    wait_for(
                        f"data for {question}",
                        partial(answered, stack, question, everything(board)),
                    )
            [firing] = [a for a in board["annotations"]["list"] if a["name"] == "Critical alerts"]
            wait_for("an alert", partial(has_data, stack, firing["expr"], instant=False))
    finally:
        assert stack.run("start", "postgres").returncode == 0


@pytest.mark.parametrize(
    "expression",
    ["rate(minitwit_http_request_total[20s])", 'up{service="ap"}', "up / minitwit_nothing"],
)
def test_the_proof_notices_what_does_not_exist(stack: Platform, expression: str) -> None:
    assert not has_data(stack, expression, instant=False)


def test_what_is_stored_fits_its_disk_for_thirty_days(stack: Platform) -> None:
    """Twice: a Swarm has replicas. Of others' metrics, nothing is stored that nobody uses."""
    stored = "sum(rate(prometheus_tsdb_head_samples_appended_total[1m]))"
    wait_for("a rate", lambda: stack.prometheus(f"{stored} > 0"))
    [(_, rate)] = stack.prometheus(stored)
    assert rate < SAMPLES_A_SECOND / 2
    ours = f'job!~"{"|".join(DEPLOYED_TARGETS)}",__name__!~"{PRODUCT}_.*"'
    others = f'{{job=~".+",{ours}}}'
    found = stack.prometheus(f"group by (__name__) ({others})")
    used = {metric.name for metric in METRICS}
    assert {labels["__name__"] for labels, _ in found} <= used | SCRAPE
