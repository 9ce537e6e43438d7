"""Rows on both sides of the import: insert into SQLite, read from PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

Import = Callable[..., "subprocess.CompletedProcess[str]"]


def rejects(folder: Path) -> dict[tuple[Any, ...], str]:
    lines = (folder / "minitwit.db.rejects.jsonl").read_text().splitlines()
    return {(row["table"], *row["key"]): row["reason"] for row in map(json.loads, lines)}


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def user(source: sqlite3.Connection, name: object, email: object = "e@e") -> None:
    source.execute("INSERT INTO user (username, email, pw_hash) VALUES (?, ?, 'x')", (name, email))


def message(source: sqlite3.Connection, author: object, *rest: object) -> None:
    values = (author, *rest)
    source.execute(
        "INSERT INTO message (author_id, text, pub_date, flagged) VALUES (?, ?, ?, ?)", values
    )
