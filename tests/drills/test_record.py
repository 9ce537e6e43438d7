"""The record of the drills: the last three runs of each, with commits."""

from __future__ import annotations

from tests.drills.record import added, markdown
from tests.drills.run import Row

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
