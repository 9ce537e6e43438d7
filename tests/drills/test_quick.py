"""A few of the drills for every test run; `make drill` runs them all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest

from tests.drills import run as engine
from tests.drills.__main__ import running_site
from tests.drills.run import DrillFailed, run
from tests.drills.site import Site
from tests.drills.table import DRILLS, SCALE

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
QUICK = ("brute-force", "simulator-stopped")
BY_NAME = {drill.name: drill for drill in DRILLS}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site(SCALE, small=False) as site:
        yield site


@pytest.mark.parametrize("name", QUICK)
def test_from_fault_to_chat_and_back(name: str, site: Site) -> None:
    for row in run(BY_NAME[name], site):
        print(f"{row.alert}: firing {row.firing} s, room {row.chat} s, all-clear {row.resolved} s")


def test_a_fault_that_is_none_is_noticed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FIRING", 3)
    idle = replace(BY_NAME["connections"], fault=lambda _: nullcontext())
    with pytest.raises(DrillFailed, match="firing: not within"):
        run(idle, site)


def test_an_alert_that_was_not_declared_is_noticed(site: Site) -> None:
    fault = BY_NAME["brute-force"].fault
    with pytest.raises(DrillFailed, match=r"undeclared message: FIRING MiniTwit(Login|Invalid)"):
        run(replace(BY_NAME["connections"], fault=fault), site)


def test_a_muted_room_is_noticed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CHAT", 8)

    @contextmanager
    def muted(at: Site) -> Iterator[None]:
        at.stop("relay")
        try:
            with BY_NAME["connections"].fault(at):
                yield
        finally:
            at.start("relay")

    drill = replace(BY_NAME["connections"], fault=muted, also=("MiniTwitNotificationsFailing",))
    with pytest.raises(DrillFailed, match="a message in the chat: not within"):
        run(drill, site)
