"""Tests of the first mover: tables of anomalies, and the permitted verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest

from alerts.incident.bad_periods import NO_SAMPLE, BadPeriod
from alerts.incident.first_mover import Anomaly, Verdict, determine
from alerts.incident.signals import COVERAGE, SIGNALS

STEP, BEGIN, END = 5.0, 0.0, 300.0
CAUSES = {
    "database": "PostgreSQL does not answer",
    "api": "api does not answer",
    "web": "web does not answer",
    "outside": "the simulator does not answer",
    "monitoring": "a part of the monitoring",
}
SYMPTOMS = {
    "database": "statements fail", "api": "5xx of api", "web": "5xx of web",
    "outside": "probes fail",
}  # fmt: skip
OBSERVED = {name: [STEP * n for n in range(60)] for name in COVERAGE}


def cause(component: str, last_good: float, first_bad: float, samples: int = 4) -> Anomaly:
    period = BadPeriod(last_good, first_bad, first_bad + 5 * samples, samples)
    return Anomaly(component, "cause", CAUSES[component], period)


def symptom(component: str, last_good: float, first_bad: float, samples: int = 4) -> Anomaly:
    period = BadPeriod(last_good, first_bad, first_bad + 5 * samples, samples)
    return Anomaly(component, "symptom", SYMPTOMS[component], period)


def restart(component: str, last_good: float, first_bad: float) -> Anomaly:
    period = BadPeriod(last_good, first_bad, first_bad + 1, 1, certain=True)
    return Anomaly(component, "cause", f"{component} restarted", period)


def load(last_good: float, first_bad: float, samples: int = 1) -> Anomaly:
    period = BadPeriod(last_good, first_bad, first_bad + 5 * samples, samples)
    return Anomaly("outside", "load", "many requests are served at once", period)


class Case(NamedTuple):
    name: str
    anomalies: Sequence[Anomaly]
    component: str
    reason: str = ""


API = cause("api", 100, 105)
SURE = (
    Case("api alone", [API, symptom("web", 101, 106), symptom("outside", 103, 108)],
         "api", "database had no anomaly"),
    Case("web alone", [cause("web", 100, 105), symptom("outside", 103, 108)], "web"),
    Case("the database, with symptoms everywhere",
         [cause("database", 100, 105), symptom("database", 98, 103), symptom("api", 98, 103),
          symptom("web", 101, 106), symptom("outside", 99, 104)], "database"),
    Case("killed and restarted between two scrapes",
         [restart("api", 100, 103), symptom("web", 101, 106)], "api", "restarted"),
    Case("the simulator", [cause("outside", 100, 105)], "outside"),
    Case("the monitoring alone", [cause("monitoring", 100, 105)], "monitoring"),
    Case("api, and web stops much later",
         [API, symptom("outside", 101, 106), cause("web", 160, 165)], "api"),
    Case("api, and noise long before",
         [symptom("outside", 20, 25, 1), API, symptom("outside", 101, 106)], "api"),
    Case("a monitor that was down all along",
         [cause("monitoring", NO_SAMPLE, 0), API, symptom("web", 101, 106)], "api"),
)  # fmt: skip
UNSURE = (
    Case("overload", [load(90, 95), API, symptom("web", 101, 106)], "", "but also many requests"),
    Case("load is no symptom", [API, load(104, 109)], "", "there is no symptom"),
    Case("nothing", [], "", "no signal"),
    Case("only symptoms", [symptom("api", 100, 105), symptom("outside", 101, 106)], "",
         "5xx of api"),
    Case("statements fail without a cause", [symptom("database", 100, 105)], "", "statements"),
    Case("two within a scrape",
         [API, cause("database", 103, 108), symptom("outside", 102, 107)], "",
         "within the same scrapes"),
    Case("two within a scrape, the other way",
         [cause("web", 100, 105), cause("api", 99, 106), symptom("outside", 102, 107)], "",
         "within the same scrapes"),
    Case("an earlier symptom", [symptom("outside", 90, 95), API, symptom("web", 101, 106)], "",
         "before"),
    Case("a statement failed as well",
         [symptom("database", 101, 106, 1), API, symptom("web", 101, 106)], "",
         "but also statements fail"),
    Case("a statement failed shortly before",
         [symptom("database", 50, 55, 1), API, symptom("web", 101, 106)], "",
         "but also statements fail"),
    Case("bad before the analysis began",
         [cause("api", NO_SAMPLE, 0), symptom("web", 101, 106)], "", "already bad"),
    Case("a restart half a minute before the fault",
         [restart("api", 68, 70), symptom("database", 100, 105), symptom("api", 101, 106)], "",
         "there is no symptom"),
    Case("a restart just before the fault",
         [restart("api", 90, 92), symptom("database", 98, 103), symptom("api", 101, 106)], "",
         "but also"),
    Case("only the scrape failed", [API], "", "there is no symptom"),
    Case("a symptom, but too late", [API, symptom("outside", 200, 205)], "",
         "there is no symptom"),
    Case("monitoring and api",
         [cause("monitoring", 100, 105), cause("api", 101, 106), symptom("web", 102, 107)], "",
         "within the same scrapes"),
    Case("monitoring, and symptoms of users",
         [cause("monitoring", 100, 105), symptom("api", 90, 110)], "", "but also"),
    Case("one sample is no outage", [cause("api", 100, 105, 1), symptom("outside", 101, 106)], "",
         "may cause"),
)  # fmt: skip


def verdict(
    anomalies: Sequence[Anomaly], coverage: Mapping[str, Sequence[float]] = OBSERVED
) -> Verdict:
    return determine(anomalies, coverage, STEP, BEGIN)


@pytest.mark.parametrize("case", [*SURE, *UNSURE], ids=lambda case: case.name)
def test_the_table(case: Case) -> None:
    found = verdict(case.anomalies)
    assert found.component == case.component, found.reason
    assert case.reason in found.reason


@pytest.mark.parametrize("case", [case for case in SURE if case.component == "api"],
                         ids=lambda case: case.name)  # fmt: skip
def test_while_the_database_is_not_observed_nothing_is_sure(case: Case) -> None:
    gap = [t for t in OBSERVED["database"] if not 85 < t < 130]
    found = verdict(case.anomalies, {**OBSERVED, "database": gap})
    assert found.component == ""
    assert "database was not observed" in found.reason


@pytest.mark.parametrize("case", SURE, ids=lambda case: case.name)
def test_another_cause_at_the_same_time_makes_it_unsure(case: Case) -> None:
    first = next(a for a in case.anomalies if a.component == case.component and a.kind == "cause")
    other = "web" if case.component != "web" else "api"
    rival = cause(other, first.period.last_good, first.period.first_bad)
    assert verdict([*case.anomalies, rival]).component == ""


def test_without_scrapes_nothing_is_sure() -> None:
    assert determine([cause("api", 1, 2)], OBSERVED, 0, BEGIN).component == ""


def test_the_timeline_is_by_time_then_by_dependency() -> None:
    anomalies = [symptom("outside", 100, 105), symptom("api", 101, 105), cause("database", 99, 104)]
    assert [m.component for m in verdict(anomalies).timeline] == ["database", "api", "outside"]


def test_each_signal_is_named_once() -> None:
    assert len({(s.component, s.description) for s in SIGNALS}) == len(SIGNALS)
