"""The database after a restore that an older version left half-way: nothing hides the data."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg

from tests.parts import PATIENCE, ROOT, wait_for
from tests.stack.platform import Platform

FORMER = "minitwit_before_20200101000000_1"


def test_a_database_that_lost_its_name_is_not_replaced_by_an_empty_one(platform: Platform) -> None:
    platform.up("postgres")
    url = (platform.settings.secrets / "owner_url").read_text()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE precious ()")
    server = psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True)

    def names() -> set[str]:
        return {name for (name,) in server.execute("SELECT datname FROM pg_database")}

    def complains() -> bool:
        status, rows = platform.status(wait=0)
        return status == 1 and "no database minitwit" in rows["postgres"]

    with server:
        server.execute(f"ALTER DATABASE minitwit RENAME TO {FORMER}".encode())
        server.execute(f"ALTER DATABASE {FORMER} ALLOW_CONNECTIONS false".encode())
        wait_for("the complaint", complains)
        assert "minitwit" not in names()  # status only reads
        done = platform.run("up", "--only", "postgres")
        assert "minitwit" not in names()
        assert done.returncode == 1 and f"no database minitwit, but {FORMER}" in done.stderr

    [_, _, command, *remedy] = done.stderr.splitlines()
    python, *arguments = command.split()
    assert python == ".venv/bin/python"
    subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, **platform.environment},
        input="\n".join(remedy), text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    platform.up("postgres")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT FROM precious").fetchall() == []
