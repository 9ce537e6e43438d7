"""The steps of a migration: copy the rows, follow the changes, switch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter

import psycopg

from app.transfer.problems import TransferError
from app.transfer.reconcile import reconcile
from app.transfer.source import After, Source
from app.transfer.tables import BY_NAME, FOLLOWS, LOWEST, TABLES, Key, Table
from app.transfer.target import BEFORE_ALL, State, Target

ROWS = 20_000  # in one step of the copy
CHANGES = 2000  # in one step of following
DIFFERENCES = 10  # named at most
PAGE = 20_000  # rows read at once to find those that differ
FOLLOWING = "following"
Say = Callable[[str, int, int], None]  # table, rows so far, rows in all


@dataclass(frozen=True, slots=True)
class Check:
    """Row counts and checksums of one table on both sides.

    ``held`` is how many rows SQLite holds in all, ``keys`` are some of those that differ.
    """

    table: str
    source: tuple[int, int]
    target: tuple[int, int]
    held: int
    keys: tuple[Key, ...] = ()

    @property
    def left_out(self) -> int:
        """How many rows of SQLite are not in PostgreSQL unchanged."""
        return self.held - self.source[0]

    @property
    def equal(self) -> bool:
        """Whether no row is lost, added or changed."""
        return self.source == self.target


class Move:
    """A migration from ``source`` to ``target``, resumed from the checkpoint of an earlier try."""

    def __init__(
        self, source: Source, target: Target, say: Say = lambda *_: None, *, over: bool = False
    ) -> None:
        """``over`` allows a source that is already closed, as for a comparison."""
        self.source, self.target, self.say = source, target, say
        closed = source.closed()
        if closed and not over:
            self.close()
            raise TransferError(f"{source.path} is migrated already")
        self.state = target.begin(source.token() if closed else source.track())
        source.know_moved(target.user_ids())

    def close(self) -> None:
        """Close both connections."""
        self.source.db.close()
        self.target.db.close()

    def copy(self) -> None:
        """Copy the rows that existed at the beginning, table by table."""
        names = [table.name for table in TABLES]
        while self.state.step != FOLLOWING:
            table = TABLES[names.index(self.state.step)]
            self._copy(table)
            rest = names[names.index(table.name) + 1 :]
            self._reach(
                replace(self.state, step=rest[0] if rest else FOLLOWING, position=BEFORE_ALL)
            )
            self.source.know_moved(self.target.user_ids())

    def follow(self) -> int:
        """Apply the next changes in one transaction; return how many there were."""
        seq, keys = self.source.changes(self.state.seq, CHANGES)
        if seq == self.state.seq:
            return 0
        state = replace(self.state, seq=seq)
        with self.target.step(state):
            reconcile(self.source, self.target, keys)
        count, self.state = seq - self.state.seq, state
        return count

    def switch(
        self, accepted: int | None = 0, keep: Callable[[], object] = lambda: None
    ) -> tuple[list[Check], float]:
        """Block writers, apply the remaining changes, verify equality, close the source.

        Right before it closes the source, ``keep`` runs; if that fails, nothing is closed.
        Returns how the tables compare, and for how many seconds writers were blocked. Raises
        TransferError, and leaves the source open, if the two are not equal, or if another number
        of rows than ``accepted`` (None: any) is not in PostgreSQL unchanged.
        """
        while self.follow() == CHANGES:
            pass
        self.target.set_sequences(self._last_ids())
        self.target.settle()
        begin = time.monotonic()
        with self.source.locked():
            while self.follow():
                pass
            checks = self._compare()
            _allow(checks, accepted)
            self.target.set_sequences(self._last_ids())
            keep()
            self.source.close_for_good()
        return checks, time.monotonic() - begin

    def verify(self) -> list[Check]:
        """Compare each table on both sides, and name rows that differ.

        Rows that somebody changes meanwhile may be among them.
        """
        return [
            check if check.equal else replace(check, keys=self._differences(BY_NAME[check.table]))
            for check in self._compare()
        ]

    def _compare(self) -> list[Check]:
        rejected = [(table.name, k) for table in TABLES for k in self.target.rejected(table)]
        self.source.know_rejected(rejected)
        with ThreadPoolExecutor(1) as other:
            theirs = other.submit(lambda: [self.target.checksum(table) for table in TABLES])
            ours = [self.source.checksum(table) for table in TABLES]
        sides = zip(TABLES, ours, theirs.result(), strict=True)
        return [
            Check(table.name, here, there, self.source.count(table)) for table, here, there in sides
        ]

    def _differences(self, table: Table) -> tuple[Key, ...]:
        """Return the keys of the first rows that differ."""
        both = merge(_lines(self.source, table), _lines(self.target, table))
        found = (
            key
            for key, lines in groupby(both, key=itemgetter(0))
            if len(sums := [md5 for _, md5 in lines]) != 2 or sums[0] != sums[1]
        )
        return tuple(islice(found, DIFFERENCES))

    def _copy(self, table: Table) -> None:
        """Read the next rows from SQLite while PostgreSQL writes those before."""
        total, pending = self.source.count(table), None
        low: float = LOWEST if self.state.position == BEFORE_ALL else self.state.position
        # Edges have no unique key: duplicates must be compared together.
        rows = 10**9 if table is FOLLOWS else ROWS
        self.say(table.name, 0, total)
        with ThreadPoolExecutor(1) as writer:
            while (high := self.source.bound(table, low, rows)) is not None:
                text = self.source.copy_text(table, low, high)
                unsound = self.source.unsound(table, low, high)
                if pending:
                    self.say(table.name, min(pending.result(), total), total)
                pending = writer.submit(self._chunk, table, text, unsound, low, high)
                low = high
            if pending:
                pending.result()
        self.say(table.name, total, total)

    def _chunk(self, table: Table, text: bytes, unsound: set[Key], low: float, high: int) -> int:
        state = replace(self.state, position=high)
        try:
            with self.target.step(state):
                self.target.copy(table, text)
                if unsound:
                    reconcile(self.source, self.target, {table.name: unsound})
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
            # COPY refused a row, or another writer changed it: insert one by one.
            with self.target.step(state):
                keys = self.source.keys(table, low, high)
                reconcile(self.source, self.target, {table.name: keys})
        self.state = state
        return high

    def _reach(self, state: State) -> None:
        with self.target.step(state):
            self.state = state

    def _last_ids(self) -> dict[str, int]:
        return {table.name: self.source.last_id(table) for table in TABLES if table.keys == 1}


def _lines(side: Source | Target, table: Table) -> Iterator[tuple[Key, str]]:
    """Yield key and MD5 of each row by key; each read is short."""
    after: After = (LOWEST,) * table.keys
    while rows := side.page(table, after, PAGE):
        yield from rows
        after = rows[-1][0]


def _allow(checks: list[Check], accepted: int | None) -> None:
    """Raise TransferError unless both sides are equal and ``accepted`` rows are left out."""
    if wrong := [check for check in checks if not check.equal]:
        names = ", ".join(check.table for check in wrong)
        raise TransferError(
            f"not equal: {names}; nothing was switched. If this remains so, import into an empty"
            " database"
        )
    left = sum(check.left_out for check in checks)
    if accepted is not None and left != accepted:
        raise TransferError(
            f"{left:,} rows would not be moved as they are, and {accepted:,} were accepted; nothing"
            f" was switched. To go without them: --accept-rejects {left}"
        )
