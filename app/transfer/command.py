"""``python -m app import-sqlite``: what it says and how it ends."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from contextlib import closing
from pathlib import Path

from app.transfer.move import Check, Move
from app.transfer.reconcile import judge
from app.transfer.source import Source
from app.transfer.tables import TABLES, USERS
from app.transfer.target import Target

POLL = 0.2  # seconds
REJECTED = 3  # exit status: all is moved but what the file of rejects has


def declare(parser: ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("file", type=Path, help="MiniTwit's SQLite database; it may be in use")
    parser.add_argument("--cut-over", action="store_true", help="switch once it has caught up")
    parser.add_argument("--verify", action="store_true", help="only compare the two sides")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be moved")
    parser.add_argument(
        "--rejects", type=Path, metavar="FILE",
        help="where rows go that cannot be moved (default: beside the database)",
    )  # fmt: skip


def run(url: str, options: Namespace) -> int:
    """Exit status 0 if all is moved, 3 if some rows cannot be, 1 if a comparison fails."""
    file = options.rejects or options.file.with_name(options.file.name + ".rejects.jsonl")
    source = Source(options.file)
    if options.dry_run:
        return _foresee(source, file)
    progress = Progress()
    with closing(Move(source, Target(url), progress.say)) as move:
        return _move(move, options, file)


def _move(move: Move, options: Namespace, file: Path) -> int:
    if options.verify:
        checks = move.verify()
        show(checks)
        return 0 if all(check.equal for check in checks) else 1
    begin = time.monotonic()
    move.copy()
    while move.follow():
        pass
    print(f"Copied and caught up after {time.monotonic() - begin:.1f} s.", flush=True)
    if options.cut_over:
        checks, held = move.switch()
        show(checks)
        print(f"Switched; writers were held up for {held:.2f} s. {options.file} takes no more.")
    else:
        _keep_following(move)
    return _write_rejects([*move.target.rejects(), *move.source.repeated()], file)


def _keep_following(move: Move) -> None:
    print("Following its changes; Ctrl-C ends this, and --cut-over switches.", flush=True)
    try:
        while True:
            if count := move.follow():
                print(f"{count} changes", flush=True)
            else:
                time.sleep(POLL)
    except KeyboardInterrupt:
        print("\nStopped; start it again to go on.")


def _foresee(source: Source, file: Path) -> int:
    """What would be moved, from the source alone."""
    source.know_moved(
        row[0] for row in source.db.execute(f"SELECT user_id FROM user WHERE {source.sound(USERS)}")
    )
    found = []
    for table in TABLES:
        low, high = 0, source.bound(table, 0, 10**9) or 0
        _, why = judge(source, table, source.keys(table, low, high))
        found += [(table.name, list(key), *texts) for key, texts in why.items()]
        print(f"{table.name:10} {source.count(table):>10,} rows, {len(why):,} cannot be moved")
    return _write_rejects([*found, *source.repeated()], file)


def _write_rejects(rows: list[tuple[str, list[int | None], str, str]], file: Path) -> int:
    if not rows:
        file.unlink(missing_ok=True)
        return 0
    # There are password hashes in it.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        for name, key, reason, content in rows:
            line = {"table": name, "key": key, "reason": reason, "row": json.loads(content)}
            out.write(json.dumps(line) + "\n")
    text = f"{len(rows):,} rows were not moved as they are; {file} has them, with the reasons."
    print(text, file=sys.stderr)
    return REJECTED


def show(checks: list[Check]) -> None:
    """Both sides, side by side."""
    print(f"{'':10} {'SQLite':>12} {'PostgreSQL':>12}   checksums")
    for check in checks:
        (rows, total), (there, other) = check.source, check.target
        verdict = "equal" if check.equal else "DIFFERENT"
        print(f"{check.table:10} {rows:12,} {there:12,}   {total:x} {other:x} {verdict}")


class Progress:
    """A bar on a terminal, else a line for each table."""

    def say(self, table: str, done: int, total: int) -> None:
        """So many rows of a table are done."""
        if not sys.stdout.isatty():
            if done == total:
                print(f"{table}: {total:,} rows", flush=True)
            return
        share = done / total if total else 1
        bar = "#" * round(30 * share)
        end = "\n" if done == total else ""
        print(f"\r\033[K{table:10} [{bar:30}] {done:,} of {total:,}", end=end, flush=True)
