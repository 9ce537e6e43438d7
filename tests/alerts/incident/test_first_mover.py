"""Tests of the first mover: tables of moves, and the permitted verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest

from alerts.incident.bad_periods import UNKNOWN, Span
from alerts.incident.first_mover import Move, Verdict, judge
from alerts.incident.signals import NEWS, SIGNALS

STEP, BEGIN, END = 5.0, 0.0, 300.0
OWN = {"database": "PostgreSQL does not answer", "api": "api does not answer",
       "web": "web does not answer", "outside": "the simulator does not answer",
       "monitoring": "a part of the monitoring"}  # fmt: skip
FELT = {"database": "statements fail", "api": "5xx of api", "web": "5xx of web",
        "outside": "probes fail"}  # fmt: skip
HEARD = {name: [STEP * n for n in range(60)] for name in NEWS}


def own(component: str, begin: float, seen: float, count: int = 4) -> Move:
    return Move(component, "own", OWN[component], Span(begin, seen, seen + 5 * count, count))


def felt(component: str, begin: float, seen: float, count: int = 4) -> Move:
    return Move(component, "felt", FELT[component], Span(begin, seen, seen + 5 * count, count))


def anew(component: str, begin: float, seen: float) -> Move:
    return Move(
        component, "own", f"{component} began anew", Span(begin, seen, seen + 1, 1, sure=True)
    )


def load(begin: float, seen: float, count: int = 1) -> Move:
    words = "many requests are served at once"
    return Move("outside", "load", words, Span(begin, seen, seen + 5 * count, count))


class Case(NamedTuple):
    name: str
    moves: Sequence[Move]
    component: str
    reason: str = ""


SURE = (
    Case("api alone", [own("api", 100, 105), felt("web", 101, 106), felt("outside", 103, 108)],
         "api", "database had not moved"),
    Case("web alone", [own("web", 100, 105), felt("outside", 103, 108)], "web"),
    Case("the database, and all feel it",
         [own("database", 100, 105), felt("database", 98, 103), felt("api", 98, 103),
          felt("web", 101, 106), felt("outside", 99, 104)], "database"),
    Case("killed and started anew between two scrapes",
         [anew("api", 100, 103), felt("web", 101, 106)], "api", "began anew"),
    Case("the simulator", [own("outside", 100, 105)], "outside"),
    Case("the monitoring alone", [own("monitoring", 100, 105)], "monitoring"),
    Case("api, and web ends much later",
         [own("api", 100, 105), felt("outside", 101, 106), own("web", 160, 165)], "api"),
    Case("api, and a noise long before",
         [felt("outside", 20, 25, 1), own("api", 100, 105), felt("outside", 101, 106)], "api"),
    Case("a monitor that was away all along",
         [own("monitoring", UNKNOWN, 0), own("api", 100, 105), felt("web", 101, 106)], "api"),
)  # fmt: skip
UNSURE = (
    Case("asked too much", [load(90, 95), own("api", 100, 105), felt("web", 101, 106)], "",
         "many requests are served at once as well"),
    Case("load is not felt by anybody", [own("api", 100, 105), load(104, 109)], "",
         "nobody felt it"),
    Case("nothing", [], "", "no signal"),
    Case("only felt", [felt("api", 100, 105), felt("outside", 101, 106)], "", "5xx of api"),
    Case("statements fail, and nothing says why", [felt("database", 100, 105)], "", "statements"),
    Case("two within a scrape", [own("api", 100, 105), own("database", 103, 108),
         felt("outside", 102, 107)], "", "within the same scrapes"),
    Case("two within a scrape, the other way", [own("web", 100, 105), own("api", 99, 106),
         felt("outside", 102, 107)], "", "within the same scrapes"),
    Case("felt before", [felt("outside", 90, 95), own("api", 100, 105), felt("web", 101, 106)],
         "", "before"),
    Case("a statement failed as well",
         [felt("database", 101, 106, 1), own("api", 100, 105), felt("web", 101, 106)],
         "", "statements fail as well"),
    Case("a statement failed shortly before",
         [felt("database", 50, 55, 1), own("api", 100, 105), felt("web", 101, 106)],
         "", "statements fail as well"),
    Case("so before the look began", [own("api", UNKNOWN, 0), felt("web", 101, 106)],
         "", "already so"),
    Case("a restart half a minute before the fault",
         [anew("api", 68, 70), felt("database", 100, 105), felt("api", 101, 106)],
         "", "nobody felt it"),
    Case("a restart just before the fault",
         [anew("api", 90, 92), felt("database", 98, 103), felt("api", 101, 106)], "", "as well"),
    Case("only the scrape failed", [own("api", 100, 105)], "", "nobody felt it"),
    Case("felt, but too late", [own("api", 100, 105), felt("outside", 200, 205)],
         "", "nobody felt it"),
    Case("monitoring and api", [own("monitoring", 100, 105), own("api", 101, 106),
         felt("web", 102, 107)], "", "within the same scrapes"),
    Case("monitoring while users feel something", [own("monitoring", 100, 105),
         felt("api", 90, 110)], "", "as well"),
    Case("one sample is no outage", [own("api", 100, 105, 1), felt("outside", 101, 106)], "",
         "may cause"),
)  # fmt: skip


def verdict(moves: Sequence[Move], news: Mapping[str, Sequence[float]] = HEARD) -> Verdict:
    return judge(moves, news, STEP, BEGIN)


@pytest.mark.parametrize("case", [*SURE, *UNSURE], ids=lambda case: case.name)
def test_the_table(case: Case) -> None:
    found = verdict(case.moves)
    assert found.component == case.component, found.reason
    assert case.reason in found.reason


@pytest.mark.parametrize("case", [case for case in SURE if case.component == "api"],
                         ids=lambda case: case.name)  # fmt: skip
def test_without_news_of_the_database_nothing_is_sure(case: Case) -> None:
    gap = [t for t in HEARD["database"] if not 85 < t < 130]
    found = verdict(case.moves, {**HEARD, "database": gap})
    assert found.component == ""
    assert "nothing is known of database" in found.reason


@pytest.mark.parametrize("case", SURE, ids=lambda case: case.name)
def test_another_that_moved_at_the_same_time_makes_it_unsure(case: Case) -> None:
    first = next(m for m in case.moves if m.component == case.component and m.own)
    other = "web" if case.component != "web" else "api"
    assert verdict([*case.moves, own(other, first.span.begin, first.span.seen)]).component == ""


def test_without_scrapes_nothing_is_sure() -> None:
    assert judge([own("api", 1, 2)], HEARD, 0, BEGIN).component == ""


def test_the_order_is_of_time_then_of_dependency() -> None:
    moves = [felt("outside", 100, 105), felt("api", 101, 105), own("database", 99, 104)]
    assert [m.component for m in verdict(moves).order] == ["database", "api", "outside"]


def test_each_signal_is_named_once() -> None:
    assert len({(s.component, s.words) for s in SIGNALS}) == len(SIGNALS)
