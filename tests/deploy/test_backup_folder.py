"""What lies in the folder of the backups, and what the script says of it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from observability.stack.local import postgres
from tests.deploy.conftest import SCRIPTS, Run, stand_in
from tests.parts import PATIENCE, PostgresServer, wait_for


def dumps(folder: Path) -> list[Path]:
    return sorted((folder / "backups").glob("*.dump"))


def test_only_the_owner_may_read_a_dump_also_an_older_one(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o755)
    (folder / "minitwit-20200101T000000Z.dump").write_text("old")
    assert run("backup.sh").returncode == 0
    assert len(dumps(tmp_path)) == 2
    for path in (folder, *folder.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_only_the_newest_are_kept(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 6):
        for end in ("", ".sums"):
            (folder / f"minitwit-2020010{day}T000000Z.dump{end}").write_text("old")
    assert run("backup.sh", BACKUP_KEEP="3", KEEP="1").returncode == 0
    assert [p.name[9:17] for p in dumps(tmp_path)][:2] == ["20200104", "20200105"]
    assert len(dumps(tmp_path)) == 3
    assert len(list(folder.glob("*.sums"))) == 3
    assert list(folder.glob(".new*")) == []


def test_dumps_of_a_clock_that_was_ahead_push_out_none(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for year in ("2020", "2021", "2099"):
        (folder / f"minitwit-{year}0101T000000Z.dump").touch()
    done = run("backup.sh", BACKUP_KEEP="2")
    assert done.returncode == 0, done.stderr
    file = Path(done.stdout.partition(": ")[0])
    assert [path.name[9:13] for path in dumps(tmp_path)] == ["2021", file.name[9:13], "2099"]
    assert file.stat().st_size > 1000
    assert "not counted" in done.stderr and "minitwit-20990101T000000Z.dump" in done.stderr
    restored = run("restore.sh")
    assert restored.returncode == 1 and "later than now" in restored.stderr
    assert run("restore.sh", str(file)).returncode == 0


def test_one_that_is_gone_at_the_end_is_no_success(run: Run, tmp_path: Path) -> None:
    """A stand-in for psql removes the dump when it is to be noted."""
    path = stand_in(
        tmp_path,
        "psql",
        f"""case "$*" in *INSERT*) rm "$BACKUPS"/*.dump ;; esac
exec {postgres.BIN}/psql "$@\"""",
    )
    done = run("backup.sh", PATH=path)
    assert done.returncode == 1 and "was removed" in done.stderr
    assert (done.stdout, dumps(tmp_path)) == ("", [])


def test_a_clock_that_is_set_back_delays_no_backup(
    environment: dict[str, str], tmp_path: Path
) -> None:
    clock, log = tmp_path / "clock", tmp_path / "log"
    clock.write_text("1900000000")
    path = stand_in(tmp_path, "date", f'exec {shutil.which("date")} --date "@$(cat {clock})" "$@"')
    with log.open("w") as out:
        process = subprocess.Popen(
            ["sh", str(SCRIPTS / "backup.sh"), "--every", "86400"],
            env=environment | {"PATH": path}, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        wait_for("it sleeps", lambda: process.pid in parents("sleep"))
        assert log.read_text().count("KiB") == 1
        (tmp_path / "new").write_text("1890000000")
        (tmp_path / "new").rename(clock)  # at once: an empty time is no time
        wait_for("another backup", lambda: log.read_text().count("KiB") == 2)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_a_folder_on_another_disk_is_pruned_and_restored_from(run: Run, tmp_path: Path) -> None:
    """Through a symlink; what is put aside in it is left alone."""
    (tmp_path / "disk/old").mkdir(parents=True)
    (tmp_path / "backups").symlink_to("disk")
    for name in ("old/minitwit-20200109T000000Z", "minitwit-upgrade", "minitwit-20200101T000000Z"):
        (tmp_path / f"disk/{name}.dump").write_text("old")
    taken = run("backup.sh", BACKUP_KEEP="1")
    assert taken.returncode == 0, taken.stderr
    new, aside = dumps(tmp_path)
    assert aside.stem == "minitwit-upgrade" and list((tmp_path / "disk/old").glob("*.dump"))
    restored = run("restore.sh")
    assert restored.returncode == 0 and f"Restoring {tmp_path}/backups/{new.name}" in (
        restored.stdout
    ), restored.stderr


@pytest.fixture
def read_only(postgres_server: PostgresServer, database: str) -> None:
    """The database takes no writes."""
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        name = sql.Identifier(database)
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name)
        )


def test_of_a_database_that_takes_no_writes_one_is_kept_and_said_so(
    run: Run, read_only: None, tmp_path: Path
) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups/minitwit-20200101T000000Z.dump").write_text("old")
    done = run("backup.sh", BACKUP_KEEP="1")
    assert done.returncode == 3
    assert "it is kept, but not noted" in done.stderr and "nothing was kept" not in done.stderr
    [kept] = dumps(tmp_path)
    assert str(kept) in done.stdout and kept.stat().st_size > 1000


@pytest.mark.parametrize("keep", ["0", "-1", "all", "07"])
def test_how_many_are_kept_is_a_number(run: Run, tmp_path: Path, keep: str) -> None:
    done = run("backup.sh", BACKUP_KEEP=keep)
    assert (done.returncode, dumps(tmp_path)) == (2, [])
    assert done.stderr == f"backup: BACKUP_KEEP must be a whole number above 0, not {keep}\n"


def test_two_at_once_are_one_backup_and_one_refusal(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    with (folder / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = run("backup.sh")
    assert done.returncode == 1 and "another one is running" in done.stderr
    assert (done.stdout, dumps(tmp_path)) == ("", [])
    assert run("backup.sh").returncode == 0
    assert len(dumps(tmp_path)) == 1


def test_every_step_is_checked(run: Run, tmp_path: Path) -> None:
    """A dump that cannot be moved to its final name is not a backup."""
    path = stand_in(tmp_path, "mv", "exit 1")
    done = run("backup.sh", PATH=path)
    assert done.returncode == 1 and "nothing was kept" in done.stderr
    assert (done.stdout, dumps(tmp_path)) == ("", [])


def test_told_to_stop_it_leaves_nothing_behind(
    environment: dict[str, str], read_only: None
) -> None:
    """After one that is kept but not noted, the next is due a day later."""
    command = ["sh", str(SCRIPTS / "backup.sh"), "--every", "3600"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    for line in process.stdout:
        if "KiB" in line or "minute" in line:
            break
    assert "KiB" in line
    wait_for("it sleeps", lambda: process.pid in parents("sleep"))
    process.terminate()
    assert "again in a minute" not in process.stdout.read()
    process.stdout.close()
    assert process.wait(PATIENCE) == 0

    def gone() -> bool:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for("all of it to end", gone)


def parents(name: str) -> set[int]:
    """The parents of all processes with this name."""
    found = subprocess.run(
        ["ps", "-C", name, "-o", "ppid="], capture_output=True, text=True, check=False
    )
    return set(map(int, found.stdout.split()))
