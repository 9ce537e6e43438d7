"""Tests of the page, on recorded responses of Prometheus while api was stopped.

From 23:58:05 on for 16 s.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alerts.incident.prometheus_api import NoAnswer
from alerts.incident.render import render
from alerts.incident.report import Report, gather
from alerts.incident.sources import Sources
from alerts.incident.time_window import Window
from observability.stack.settings import StackError
from tests.alerts.incident.record import HERE, NAME


@cache
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((HERE / "answers.json.gz").read_bytes()))
    return found


def get(address: str) -> Any:
    if not address.startswith(NAME):
        raise NoAnswer(f"{address} does not answer")
    path = address.removeprefix(NAME)
    assert path in recorded()["answers"], f"not recorded: {path}; see record.py"
    return {"data": {"result": recorded()["answers"][path]}}


SOURCES = Sources(NAME, grafana="http://grafana", get=get, chat=HERE / "chat.log", logs=HERE)


def report(tmp_path: Path, sources: Sources = SOURCES) -> Report:
    window = Window(*recorded()["window"])
    return gather(sources, window, tmp_path / "page.png", lambda _: None)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return render(report(tmp_path_factory.mktemp("page")))


def part(text: str, title: str) -> str:
    return re.split(r"^##+ ", text.partition(f"# {title}")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_first_mover_is_api(text: str) -> None:
    assert "**api**: api does not answer Prometheus, between 23:58:03 and 23:58:05" in text
    assert "database had no anomaly" in text


def test_what_fired_and_when_the_chat_was_told(text: str) -> None:
    rows = part(text, "Detection")
    down = r"\| 23:58:06 \| 23:58:10 \| 23:58:24 \| MiniTwitTargetDown \| critical \| api \(.+?\) "
    assert re.search(down + r"\| 23:58:11 \|", rows)
    assert "| MiniTwitErrorRatio | critical | web | no: inhibited" in rows
    assert "Watchdog" not in text
    assert "MiniTwitDraining" not in text


def test_the_failures_and_their_shares(text: str) -> None:
    assert "27 requests ended in a 5xx" in text
    assert "`web GET /public` | 9 | " in part(text, "Failing routes")
    assert "33.33%" in part(text, "Failing routes")
    assert "refused 27" in part(text, "Calls from web to api by time")
    assert re.search(r"web-availability \(99.9%\) \| \d+ \| 27 \|", part(text, "Impact"))


def test_what_began_anew(text: str) -> None:
    assert re.search(r"- 23:58:20 api \(.+\) started, version 0.1.0", part(text, "Timeline"))
    assert "web (" not in "".join(re.findall("- .* started.*", part(text, "Timeline")))


def test_lines_and_traces_are_three_with_links(text: str) -> None:
    for title in ("Log lines", "Traces"):
        found = part(text, title).splitlines()
        assert sum(re.match(r"\| \d\d:\d\d:\d\d \|", line) is not None for line in found) == 3, (
            title
        )
    assert "http://grafana/d/minitwit-trace?var-trace=" in part(text, "Traces")
    assert "from the services' log files" in text


def test_what_people_fill_in_is_there(text: str) -> None:
    for title in ("Root causes", "Trigger", "Lessons learned", "Action items"):
        assert f"\n## {title}\n" in text
    assert text.count("_To be filled in") >= 8


def test_loki_that_does_not_answer_is_said(tmp_path: Path) -> None:
    away = replace(SOURCES, loki="http://loki", tempo="http://tempo", annotations="http://grafana")
    text = render(report(tmp_path, away))
    assert "log files, since Loki does not answer" in text
    assert "Tempo does not answer, so no spans are stored" in text


STRANGE: tuple[Any, ...] = (
    None, 7, [], [7], ["text"], {}, {"data": None}, {"data": {"result": [7]}}, {"traces": [7]},
    {"data": {"result": [{"metric": {}, "values": [["x", "y"]]}]}},
)  # fmt: skip


@pytest.mark.parametrize("answer", STRANGE, ids=str)
def test_json_of_another_program_counts_as_no_answer(answer: Any, tmp_path: Path) -> None:
    def strange(address: str) -> Any:
        return get(address) if address.startswith(NAME) else answer

    there = replace(SOURCES, loki="http://l", tempo="http://t", annotations="http://g", get=strange)
    text = render(report(tmp_path, there))
    assert "**api**: api does not answer Prometheus" in text
    with pytest.raises(StackError, match=r"no sample of that time|other JSON than expected"):
        report(tmp_path, replace(SOURCES, get=lambda address: answer))


def test_without_a_chat_nothing_is_said_of_it(tmp_path: Path) -> None:
    text = render(report(tmp_path, replace(SOURCES, chat=None, logs=None)))
    assert "no log of the chat" in text
    assert "neither Loki nor log files are available" in text


def test_the_picture_is_small(tmp_path: Path) -> None:
    assert report(tmp_path).picture == tmp_path / "page.png"
    assert 5_000 < (tmp_path / "page.png").stat().st_size < 60_000


def test_without_the_library_the_page_has_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "No picture: matplotlib is not installed." in render(report(tmp_path))


def test_what_a_stranger_wrote_stays_in_its_cell(tmp_path: Path) -> None:
    found = report(tmp_path)
    evil = {**found.lines.lines[0], "level": "critical", "message": "a | b `c` \n# d ![x](y)"}
    text = render(replace(found, lines=replace(found.lines, lines=(evil,))))
    assert r"a \| b 'c' # d ![x](y)" in text
    assert "\n# d" not in text
