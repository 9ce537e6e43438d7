"""``make bench-import``: the whole import against plain COPY of the same rows, side by side.

25 MB of SQLite; A B A B on a PostgreSQL of its own; results/import.json has medians and spread.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psycopg

from app.transfer.tables import TABLES
from tests import results
from tests.parts import ROOT, PostgresServer
from tests.transfer import old

USERS, MESSAGES, FOLLOWS = 10_000, 225_000, 20_000
MEGABYTES, ROWS, SECONDS, RATIO = 25, 250_000, 3.0, 2.0
ROUNDS = 5


def main() -> int:
    """0 if both bars are met."""
    with tempfile.TemporaryDirectory(prefix="minitwit-import-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        path = home / "minitwit.db"
        with closing(old.create(path)) as connection:
            old.fill(connection, USERS, MESSAGES, FOLLOWS)
            rows = sum(
                connection.execute(f"SELECT count(*) FROM {table.source}").fetchone()[0]
                for table in TABLES
            )
        size = path.stat().st_size / 1e6
        assert size >= MEGABYTES and rows >= ROWS, (size, rows)
        (home / "postgres").mkdir()
        server = PostgresServer(home / "postgres")
        try:
            taken, plain = measure(server, path)
        finally:
            server.stop()
    return report(size, rows, taken, plain)


def measure(server: PostgresServer, path: Path) -> tuple[list[float], list[float]]:
    """Seconds of each import and of each plain COPY."""
    taken: list[float] = []
    plain: list[float] = []
    texts: dict[str, bytes] = {}
    for number in range(ROUNDS):
        copy = path.with_name(f"round{number}.db")
        copy.write_bytes(path.read_bytes())
        url = server.create_database(f"import{number}")
        command = [sys.executable, "-m", "app", "import-sqlite", str(copy), "--cut-over"]
        begin = time.monotonic()
        subprocess.run(command, cwd=ROOT, env={"DATABASE_URL": url, "PATH": ""}, check=True)
        taken.append(time.monotonic() - begin)
        if not texts:
            texts = {table.name: read(url, table.name) for table in TABLES}
        plain.append(write(server.create_database(f"plain{number}"), texts))
        print(f"import {taken[-1]:.2f} s, COPY {plain[-1]:.2f} s", flush=True)
    return taken, plain


def read(url: str, table: str) -> bytes:
    """A table in COPY's text format."""
    query = f"COPY {table} TO STDOUT"
    with psycopg.connect(url) as connection, connection.cursor().copy(query) as copy:
        return b"".join(bytes(part) for part in copy)


def write(url: str, texts: dict[str, bytes]) -> float:
    """Seconds for putting all of it into an empty, migrated database."""
    begin = time.monotonic()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table, text in texts.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(text)
    return time.monotonic() - begin


def report(size: float, rows: int, taken: list[float], plain: list[float]) -> int:
    """Write it down, say it, judge it."""
    seconds, ratio = statistics.median(taken), statistics.median(taken) / statistics.median(plain)
    result = {
        "load": os.getloadavg()[0],
        "megabytes": round(size, 1),
        "rows": rows,
        "import_seconds": {"median": round(seconds, 2), "all": [round(x, 2) for x in taken]},
        "copy_seconds": {
            "median": round(statistics.median(plain), 2),
            "all": [round(x, 2) for x in plain],
        },
        "ratio": round(ratio, 2),
        "met": seconds <= SECONDS and ratio <= RATIO,
    }
    results.write("import", results.stamped(result))
    print(f"{size:.0f} MB, {rows:,} rows: import {seconds:.2f} s, {ratio:.2f} times plain COPY")
    return 0 if result["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
