"""Reconciles rows: PostgreSQL gets what SQLite holds now under some keys.

Only the present state counts, so that repeating it, or another order, gives the same result.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from app.transfer.source import Source
from app.transfer.tables import FOLLOWS, MESSAGES, USERS, Key, Table
from app.transfer.target import Target

Keys = dict[str, set[Key]]


def reconcile(source: Source, target: Target, keys: Keys) -> None:
    """Copy the rows under ``keys``, and what depends on them; inside a transaction."""
    messages, follows = set(keys.get("messages", ())), set(keys.get("follows", ()))
    if users := keys.get("users"):
        gone = _users(source, target, users)
        messages |= target.rejected(MESSAGES) | gone[MESSAGES.name]
        follows |= target.rejected(FOLLOWS) | gone[FOLLOWS.name]
        source.know_moved(target.user_ids())
    for table, touched in ((MESSAGES, messages), (FOLLOWS, follows)):
        sound, why = judge(source, table, touched)
        target.remove(table, touched - sound.keys())
        target.put(table, list(sound.values()))
        target.reject(table, touched, why)


def _users(source: Source, target: Target, changed: Iterable[Key]) -> Keys:
    """Copy users; return the keys of what belonged to those that are gone."""
    keys = set(changed) | target.rejected(USERS)
    sound, _ = judge(source, USERS, keys)
    keys |= target.named(str(row[1]) for row in sound.values())
    sound, why = judge(source, USERS, keys)
    target.park(key[0] for key in keys if key[0] is not None)
    ids = [key[0] for key in keys - sound.keys() if key[0] is not None]
    gone = {table.name: target.belonging(table, ids) for table in (MESSAGES, FOLLOWS)}
    for table in (MESSAGES, FOLLOWS):
        target.remove(table, gone[table.name])
    target.remove(USERS, keys - sound.keys())
    target.put(USERS, list(sound.values()))
    target.reject(USERS, keys, why)
    return gone


def judge(
    source: Source, table: Table, keys: Iterable[Key]
) -> tuple[dict[Key, tuple[Any, ...]], dict[Key, tuple[str, str]]]:
    """Return the valid rows, ready for PostgreSQL, and reason and content of the others."""
    sound: dict[Key, tuple[Any, ...]] = {}
    why: dict[Key, tuple[str, str]] = {}
    for row, held, reason in source.rows(table, keys):
        key: Key = tuple(row[: table.keys])  # type: ignore[arg-type]
        values = dict(zip(table.columns, row, strict=True))
        for name in table.texts:
            if not reason and isinstance(values[name], bytes):
                try:
                    values[name] = values[name].decode()  # type: ignore[attr-defined]
                except UnicodeDecodeError:
                    reason = f"{name} is no UTF-8"
        if reason:
            shown = dict(zip(table.columns, map(_shown, held), strict=True))
            why[key] = (reason, json.dumps(shown))
        else:
            if "flagged" in values:
                values["flagged"] = bool(values["flagged"])
            sound[key] = tuple(values.values())
    return sound, why


def _shown(value: object) -> object:
    """Format a value that may not be text for the file of rejects.

    NUL is escaped as in JSON within JSON; an infinite number, which JSON has not, is text.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace").replace("\0", "\\x00")
    return value
