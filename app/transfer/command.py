"""The command ``python -m app import-sqlite``: output and exit status."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import sys
import time
from argparse import ArgumentParser, Namespace
from contextlib import closing
from pathlib import Path
from typing import IO

import psycopg

from app.services.passwords import known_form
from app.transfer.move import CHANGES, Check, Move
from app.transfer.problems import TransferError
from app.transfer.reconcile import judge
from app.transfer.source import Source
from app.transfer.tables import LOWEST, TABLES, USERS
from app.transfer.target import Target

POLL = 0.2  # seconds
NAMED = 20  # users with an unknown hash format, at most
Reject = tuple[str, list[int | None], str, str]  # table, key, reason, content
REJECTED = 3  # exit status: all is migrated except rejected rows


def declare(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("file", type=Path, help="MiniTwit's SQLite database; it may be in use")
    parser.add_argument("--cut-over", action="store_true", help="switch once it has caught up")
    parser.add_argument("--verify", action="store_true", help="only compare the two sides")
    parser.add_argument(
        "--accept-rejects", type=int, default=0, metavar="N",
        help="switch although N rows are rejected (default: 0)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="only show what would be migrated")
    parser.add_argument(
        "--rejects", type=Path, metavar="FILE",
        help="file of rejected rows (default: beside the database)",
    )  # fmt: skip


def run(url: str, options: Namespace) -> int:
    """Return 0 if all is migrated, 3 with rejected rows, 1 if a comparison fails."""
    file = options.rejects or options.file.with_name(options.file.name + ".rejects.jsonl")
    try:
        source = Source(options.file)
        if not options.verify:
            _require_writable(file, options.file)
        if options.dry_run:
            return _foresee(source, file)
        move = Move(source, Target(url), Progress().say, over=options.verify)
        with closing(move):
            return _move(move, options, file)
    except sqlite3.Error as error:  # a torn page, a lock that stays
        raise TransferError(f"{options.file}: {error}") from None
    except psycopg.Error as error:
        raise TransferError(f"PostgreSQL: {str(error).splitlines()[0]}") from None
    except OSError as error:  # a folder that is not there, a full disk
        raise TransferError(f"{error.filename or file}: {error.strerror}") from None


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
        try:
            checks, held = move.switch(
                options.accept_rejects, lambda: _write_rejects(_rejects(move), file)
            )
        except TransferError:
            while move.follow() == CHANGES:
                pass
            show(move.verify())
            _write_rejects(_rejects(move), file)
            raise
        show(checks)
        print(f"Switched; writers were held up for {held:.2f} s. {options.file} takes no more.")
        return REJECTED if any(check.left_out for check in checks) else 0
    _keep_following(move)
    return _write_rejects(_rejects(move), file)


def _rejects(move: Move) -> list[Reject]:
    return [*move.target.rejects(), *move.source.repeated()]


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
    """Show what would be migrated, from the source alone."""
    source.know_moved(
        row[0] for row in source.db.execute(f"SELECT user_id FROM user WHERE {source.sound(USERS)}")
    )
    found = []
    for table in TABLES:
        high = source.bound(table, LOWEST, 10**9) or 0
        _, why = judge(source, table, source.keys(table, LOWEST, high))
        found += [(table.name, list(key), *texts) for key, texts in why.items()]
        print(f"{table.name:10} {source.count(table):>10,} rows, {len(why):,} rejected")
    _foresee_passwords(source)
    return _write_rejects([*found, *source.repeated()], file)


def _foresee_passwords(source: Source) -> None:
    """Name the users who could not log in: their hash has an unknown format."""
    rows = source.db.execute("SELECT user_id, CAST(pw_hash AS TEXT) FROM user")
    locked = [number for number, text in rows if not known_form((text or b"").decode("latin-1"))]
    if locked:
        some = ", ".join(map(str, locked[:NAMED])) + (", ..." if len(locked) > NAMED else "")
        print(f"{len(locked):,} users have a password hash of unknown format: user_id {some}")


def _open(file: Path, flag: int) -> IO[str]:
    """Open the file of rejects, which contains password hashes."""
    number = os.open(file, os.O_WRONLY | os.O_CREAT | flag, 0o600)
    if stat.S_ISREG(os.fstat(number).st_mode):
        os.fchmod(number, 0o600)
    return os.fdopen(number, "w")


def _require_writable(file: Path, database: Path) -> None:
    """Raise an error unless the file of rejects can be written."""
    new = not file.exists()
    if not new and file.samefile(database):
        raise TransferError(f"{file}: this is the database, not a file for its rejected rows")
    _open(file, os.O_APPEND).close()
    if new:
        file.unlink()


def _write_rejects(rows: list[Reject], file: Path) -> int:
    if not rows:
        if file.is_file() and not file.is_symlink():
            file.unlink()
        return 0
    with _open(file, os.O_TRUNC) as out:
        for name, key, reason, content in rows:
            line = {"table": name, "key": key, "reason": reason, "row": json.loads(content)}
            out.write(json.dumps(line) + "\n")
    text = f"{len(rows):,} rows were not moved as they are; {file} has them, with the reasons."
    print(text, file=sys.stderr)
    return REJECTED


def show(checks: list[Check]) -> None:
    """Print the tables of both sides, side by side."""
    print(f"{'':10} {'SQLite':>12} {'left out':>10} {'PostgreSQL':>12}   checksums")
    for check in checks:
        (_, total), (there, other) = check.source, check.target
        verdict = "equal" if check.equal else "DIFFERENT"
        print(
            f"{check.table:10} {check.held:12,} {check.left_out:10,} {there:12,}"
            f"   {total:x} {other:x} {verdict}"
        )
        if check.keys:
            keys = ", ".join("-".join(map(str, key)) for key in check.keys)
            print(f"{'':10} rows that differ: {keys}")


class Progress:
    """A progress bar on a terminal, else a line for each table."""

    def say(self, table: str, done: int, total: int) -> None:
        """Report how many rows of a table are done."""
        if not sys.stdout.isatty():
            if done == total:
                print(f"{table}: {total:,} rows", flush=True)
            return
        share = done / total if total else 1
        bar = "#" * round(30 * share)
        end = "\n" if done == total else ""
        print(f"\r\033[K{table:10} [{bar:30}] {done:,} of {total:,}", end=end, flush=True)
