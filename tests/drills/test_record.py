"""The record of the drills: the last three runs of each, with commits."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from tests.drills import __main__ as command
from tests.drills import record as recording
from tests.drills.record import added, markdown
from tests.drills.run import Row
from tests.drills.table import DRILLS

ROW = Row("MiniTwitTargetDown", "api-stopped", "api is stopped", 1, 2, 3)


def test_a_run_is_added_with_its_commit_and_the_oldest_goes() -> None:
    record = added({}, [ROW], {}, "aaaaaaaaaa")
    for commit in ("bbbbbbbbbb", "bbbbbbbbbb", "cccccccccc+changes"):
        record = added(record, [ROW], {}, commit)
    assert [row["commit"][:1] for row in record["rows"]] == ["b", "b", "c"]
    assert "2 s | 3 s | 2 of bbbbbbb, 1 of ccccccc+changes" in markdown(record)


def test_what_no_drill_proves_any_more_is_left_out() -> None:
    before = {"rows": [{"drill": "api-stopped", "fault": "", "alert": "MiniTwitNoPosts"}]}
    assert added(before, [ROW], {}, "b")["rows"] == added({}, [ROW], {}, "b")["rows"]


def test_a_failure_stays_until_the_drill_passes() -> None:
    failed = added({}, [], {"api-stopped": "nothing came"}, "a")
    assert "`api-stopped` failed when it was run last: nothing came." in markdown(failed)
    other = Row("MiniTwitTargetDown", "web-stopped", "web is stopped")
    assert added(failed, [other], {}, "b")["failures"] == failed["failures"]
    assert added(failed, [ROW], {}, "b")["failures"] == []


def test_what_ran_is_recorded_also_of_a_run_that_is_broken_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded: list[list[Row]] = []
    attempts = iter([[ROW]])

    def attempt(*_: object) -> list[Row]:
        for found in attempts:
            return found
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "running_site", lambda *_: nullcontext())
    monkeypatch.setattr(command, "attempt", attempt)
    monkeypatch.setattr(recording, "write", lambda rows, _: recorded.append(list(rows)))
    for _ in range(2):  # the second time nothing has run
        with pytest.raises(KeyboardInterrupt):
            command.drills(list(DRILLS[:2]), 1)
    assert recorded == [[ROW]]
