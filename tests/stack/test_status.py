"""How the state is looked at; what it is, tests of running platforms say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from observability.stack.local import status
from observability.stack.local.checks import CheckResult
from observability.stack.local.layout import Layout
from observability.stack.local.status import Row, look_at_the_started
from observability.stack.settings import load

Signal = Literal["ok", "pending", "bad"]


def rows(*signals: Signal) -> Iterator[list[Row]]:
    """Return one row for each look, the last one for all that follow."""
    for signal in signals:
        found = [Row("api", "", "", 0, CheckResult(signal, ""))]
        yield found
    while True:
        yield found


@pytest.mark.parametrize(("seconds", "seen"), [(60.0, "ok"), (0.0, "bad")])
def test_one_that_was_healthy_may_answer_late_for_a_while(
    monkeypatch: pytest.MonkeyPatch, seconds: float, seen: str
) -> None:
    looks = rows("bad", "bad", "ok")
    monkeypatch.setattr(status, "look", lambda *_, **__: next(looks))
    monkeypatch.setattr(status, "AGAIN", 0)
    monkeypatch.setattr(status, "BUSY", seconds)
    [row] = look_at_the_started(Layout(load(), (), {}))
    assert row.signal.state == seen
