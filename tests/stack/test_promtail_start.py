"""Where Promtail starts to read: what Loki may lack, from the start of a line."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.parts import ROOT, wait_for

BEHIND = 2 * 1024 * 1024
LINE = 200


def lines(first: int, count: int) -> bytes:
    return b"".join(
        b'{"n":%d}' % n + b" " * (LINE - 12) + b"%4d\n" % 0 for n in range(first, count)
    )


class Folder:
    """A log file, the positions of Promtail, and the script that starts it."""

    def __init__(self, path: Path) -> None:
        self.log = path / "logs" / "api.log"
        self.positions = path / "promtail" / "positions.yml"
        for file in (self.log, self.positions):
            file.parent.mkdir()

    def write(self, files: list[bytes]) -> None:
        """The oldest first."""
        for number, data in enumerate(reversed(files)):
            path = self.log.with_name(f"api.log.{number}") if number else self.log
            path.write_bytes(data)

    def start(self, position: int, ago: float = -60) -> int:
        """Start after Promtail noted ``position`` so many seconds ago; where it begins to read."""
        self.positions.write_text(f'positions:\n  {self.log}: "{position}"\n')
        noted = time.time() - ago
        os.utime(self.positions, (noted, noted))
        return self.again()

    def again(self) -> int:
        script = ROOT / "promtail/start.sh"
        done = subprocess.run(
            ["sh", script, self.positions, "echo", "started", "with", "these"],
            capture_output=True, text=True, check=True,
            env={**os.environ, "OPEN_SECONDS": "0"},
        )  # fmt: skip
        assert (done.stdout, done.stderr) == ("started with these\n", "")
        known = yaml.safe_load(self.positions.read_text())["positions"] or {}
        return int(known[str(self.log)])

    def copies(self) -> list[bytes]:
        return [copy.read_bytes() for copy in self.positions.parent.glob("*.rotated.log")]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_first_start_has_nothing_to_do(folder: Folder) -> None:
    script = ROOT / "promtail/start.sh"
    subprocess.run(["sh", script, folder.positions, "true"], check=True)
    assert not folder.positions.exists()


def test_reading_begins_at_a_line_a_little_earlier(folder: Folder) -> None:
    data = lines(0, 60_000)
    folder.log.write_bytes(data)
    size = len(data)
    end = data.index(b"\n", size // 2) + 1
    begin = folder.start(end)
    assert end - BEHIND <= begin < end - BEHIND + LINE * 2
    assert data[begin - 1 : begin] == b"\n"
    assert folder.copies() == []
    small = data.index(b"\n", 1_000_000) + 1
    assert folder.start(small) == 0
    assert folder.start(0) == 0


@pytest.mark.parametrize("held", [True, False], ids=["Promtail held it", "nobody held it"])
@pytest.mark.parametrize("new", [b"", lines(0, 100), lines(0, 45_000)])
@pytest.mark.parametrize("between", [0, 3_000], ids=["one rotation", "two rotations"])
def test_what_was_rotated_away_unread_is_read_from_a_copy(
    folder: Folder, new: bytes, between: int, held: bool
) -> None:
    old, middle = lines(10, 60_000), lines(60_000, 60_000 + between)
    end = old.index(b"\n", 6_000_000) + 1
    assert new[end - 1 : end] != b"\n", "no line of the new file ends there"
    files = [old, middle, new] if between else [old, new]
    folder.write(files)
    assert folder.start(end, -60 if held else 60) == 0
    [copy] = folder.copies()
    unread = (old + middle)[end:]
    assert copy.endswith(unread)
    assert (old + middle).endswith(b"\n" + copy)
    assert len(unread) + BEHIND - 2 * LINE < len(copy) <= len(unread) + BEHIND


def test_what_was_on_its_way_when_the_file_was_rotated_is_read_again(folder: Folder) -> None:
    old, new = lines(10, 60_000), lines(0, 1_000)
    folder.write([old, new])
    end = new.index(b"\n", 100_000) + 1
    assert folder.start(end) == 0
    [copy] = folder.copies()
    assert old.endswith(b"\n" + copy)
    assert BEHIND - end - 2 * LINE < len(copy) <= BEHIND - end


def test_a_position_that_is_in_no_file_means_everything(folder: Folder) -> None:
    old = lines(10, 1_000)
    folder.write([old, b""])
    assert folder.start(10**9) == 0
    assert folder.copies() == [old]


def test_what_is_rotated_while_promtail_starts_is_read_from_a_copy(folder: Folder) -> None:
    folder.log.write_bytes(lines(0, 100))
    folder.positions.write_text(f'positions:\n  {folder.log}: "0"\n')
    late = f'sleep 0.1; echo late >> "{folder.log}" && mv "{folder.log}" "{folder.log}.1"'
    subprocess.run(
        ["sh", ROOT / "promtail/start.sh", folder.positions, "sh", "-c", late],
        check=True,
        env={**os.environ, "OPEN_SECONDS": "2"},
    )
    assert wait_for("a copy", folder.copies) == [lines(0, 100) + b"late\n"]


def test_copies_go_when_they_are_old(folder: Folder) -> None:
    folder.log.write_bytes(lines(0, 10))
    old = folder.positions.parent / "api.1.rotated.log"
    fresh = folder.positions.parent / "api.2.rotated.log"
    old.touch()
    fresh.touch()
    os.utime(old, (0, 0))
    folder.start(0)
    assert not old.exists()
    assert fresh.exists()


def test_a_file_that_is_gone_is_forgotten(folder: Folder) -> None:
    with pytest.raises(KeyError):
        folder.start(500)
