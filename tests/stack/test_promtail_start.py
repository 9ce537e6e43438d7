"""Where Promtail starts to read: what Loki may lack, from the start of a line."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from functools import partial
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

    def start(self, position: int, ago: float = -3600) -> int:
        """Start after Promtail noted ``position`` so many seconds ago; where it begins to read."""
        self.note(position, ago)
        return self.again()

    def note(self, position: int, ago: float) -> None:
        """Promtail noted ``position`` so many seconds ago, and then was killed."""
        self.positions.write_text(f'positions:\n  {self.log}: "{position}"\n')
        noted = time.time() - ago
        os.utime(self.positions, (noted, noted))

    def again(self) -> int:
        script = ROOT / "promtail/start.sh"
        done = subprocess.run(
            ["sh", script, self.positions, "echo", "started", "with", "these"],
            capture_output=True, text=True, check=True,
            env={**os.environ, "LOOK_SECONDS": "0.1"},
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


def stamped(first: int, count: int, seconds: float) -> bytes:
    """Lines of LINE bytes, one every so many seconds, with their times."""
    begin = datetime(2026, 3, 1, 22, tzinfo=UTC)
    times = ((begin + timedelta(seconds=n * seconds)).isoformat() for n in range(first, count))
    return b"".join(f'{{"ts":"{at[:19]}.5Z"'.ljust(LINE - 2).encode() + b"}\n" for at in times)


@pytest.mark.parametrize(
    "rotated", [0, 700, 1_400], ids=["one file", "in the new one", "in the old one"]
)
def test_nothing_is_read_again_that_loki_refuses_for_its_age(folder: Folder, rotated: int) -> None:
    """A line every five seconds: 2 MB are 14 hours, and Loki takes one."""
    data = stamped(0, 2_000, 5)
    last = 3000 // 5
    folder.write([data[: rotated * LINE], data[rotated * LINE :]] if rotated else [data])
    position = folder.start((2_000 - rotated) * LINE)
    wanted = (2_000 - 1 - last) * LINE
    if rotated * LINE <= wanted:
        assert (position, folder.copies()) == (wanted - rotated * LINE, [])
    else:
        assert (position, folder.copies()) == (0, [data[wanted : rotated * LINE]])


def test_what_was_on_its_way_is_read_again_however_old_it_is(folder: Folder) -> None:
    """Loki was away for hours, so it has nothing younger."""
    data = stamped(0, 9_000, 0.1)
    folder.write([data])
    assert folder.start(8_000 * LINE) == 0


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
    assert folder.start(end, -3600 if held else 60) == 0
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


def test_a_position_saved_soon_after_a_rotation_may_be_one_of_the_file_before(
    folder: Folder,
) -> None:
    """Promtail saves what it noted seconds ago; a new line may end there too."""
    old, new = lines(10_000, 20_000), lines(20_000, 25_000)
    end = len(lines(10_000, 14_000))
    folder.write([old, new])
    assert folder.start(end, -1) == 0
    [copy] = folder.copies()
    assert copy.endswith(old[end:])


def test_what_a_file_held_that_promtail_had_opened_a_moment_before_is_read(
    folder: Folder,
) -> None:
    """Its position is saved seconds later; until then nobody knows what was read."""
    old, middle, new = lines(10, 1_000), lines(1_000, 2_000), lines(2_000, 2_100)
    folder.write([old, middle, new])
    older = folder.log.with_name("api.log.2")
    hours_ago = time.time() - 7200
    os.utime(older, (hours_ago, hours_ago))
    folder.positions.write_text(f'positions:\n  {folder.log.with_name("web.log")}: "17"\n')
    assert folder.again() == 0
    assert folder.copies() == [middle]


def test_a_position_that_is_in_no_file_means_everything(folder: Folder) -> None:
    old = lines(10, 1_000)
    folder.write([old, b""])
    assert folder.start(10**9) == 0
    assert folder.copies() == [old]


# Takes the place of each program that the script runs: the service rotates its log before the
# program numbered ROTATE_AT, and before Promtail opens it if there are not so many.
STEP = """#!/bin/sh
echo >>"$FOLDER/steps"
if [ "${0##*/}" = promtail ] || [ "$(/usr/bin/wc -l <"$FOLDER/steps")" -gt "$ROTATE_AT" ]; then
    if /bin/mkdir "$FOLDER/done" 2>/dev/null; then
        [ ! -f "$LOG.1" ] || /bin/mv "$LOG.1" "$LOG.2"
        /bin/mv "$LOG" "$LOG.1"
        /bin/mv "$FOLDER/next" "$LOG"
    fi
fi
"""
# Opens the log where it was told to, from the start if the file is shorter, until it is ended. It
# waits for a rotation that has begun, because it does not follow its file as the real one does.
PROMTAIL = """
while [ -f "$FOLDER/next" ]; do /bin/sleep 0.1; done
exec 3<"$LOG"
/bin/cp "$POSITIONS" "$FOLDER/begun"
/bin/cat <&3 >"$FOLDER/read.new"
/bin/mv "$FOLDER/read.new" "$FOLDER/read"
/bin/cat >/dev/null
"""
PROGRAMS = "basename cat cut date dirname find grep head mv rm sed seq sleep stat tail touch wc"


class Promtail:
    """Promtail, begun by the script while the service rotates its log."""

    def __init__(self, folder: Folder, tmp_path: Path) -> None:
        self.folder, self.path = folder, tmp_path
        self.programs = tmp_path / "programs"
        self.programs.mkdir()
        for name in [*PROGRAMS.split(), "promtail"]:
            rest = PROMTAIL if name == "promtail" else f'PATH=/usr/bin:/bin exec {name} "$@"\n'
            (self.programs / name).write_text(STEP + rest)
            (self.programs / name).chmod(0o755)

    def start(self, rotate_at: int) -> subprocess.Popen[bytes]:
        """Start it, and wait until it has read its log."""
        process = subprocess.Popen(
            ["sh", ROOT / "promtail/start.sh", self.folder.positions, "promtail"],
            stdin=subprocess.PIPE,
            env={
                "PATH": f"{self.programs}:/usr/bin:/bin", "FOLDER": str(self.path),
                "LOG": str(self.folder.log), "POSITIONS": str(self.folder.positions),
                "ROTATE_AT": str(rotate_at), "LOOK_SECONDS": "0.1",
            },
        )  # fmt: skip
        wait_for("Promtail", (self.path / "read").exists)
        return process

    def found(self, expected: set[bytes]) -> bool:
        """Whether it has read these lines, or finds them in the copies."""
        known = yaml.safe_load((self.path / "begun").read_text())["positions"] or {}
        begin, data = int(known.get(str(self.folder.log), 0)), (self.path / "read").read_bytes()
        texts = [data[begin:] if begin <= len(data) else data, *self.folder.copies()]
        return expected <= {line for text in texts for line in text.splitlines()}


# Of the log: how many lines it and the file before it hold, and after which one Promtail was ended.
@pytest.mark.parametrize(
    ("older", "count", "noted", "stride"),
    [(500, 500, 300, 2), (100, 11_000, 11_000, 4)],
    ids=["small", "large"],
)
def test_a_rotation_at_any_moment_of_the_start_loses_nothing(
    older: int, count: int, noted: int, stride: int, tmp_path: Path
) -> None:
    steps, rotate_at = 1, -stride
    while rotate_at < steps:
        rotate_at += stride
        home = tmp_path / str(rotate_at)
        home.mkdir()
        folder = Folder(home)
        (home / "next").write_bytes(lines(50_000, 52_000))
        old, read = lines(10_000, 10_000 + older), lines(20_000, 20_000 + noted)
        unread = lines(20_000 + noted, 20_000 + count)
        folder.write([old, read + unread])
        folder.note(len(read), -3600)
        unsure = (old + read)[-BEHIND:].partition(b"\n")[2] if count > 9000 else old + read
        expected = {*(unsure + unread).splitlines(), *(home / "next").read_bytes().splitlines()}
        promtail = Promtail(folder, home)
        process = promtail.start(rotate_at)
        steps = len((home / "steps").read_text())
        try:
            where = f"every line, rotated before program {rotate_at} of {steps}"
            wait_for(where, partial(promtail.found, expected))
        finally:
            process.communicate()


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
