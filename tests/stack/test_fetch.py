"""A fresh machine fetches archives and packages at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from observability.stack.local import up
from observability.stack.programs import archives, tools
from observability.stack.settings import StackError, load
from tests.parts import PATIENCE

WANTED = ["prometheus", "ngircd"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Return the requests for packages; the first time, after the archives."""
    found: list[tuple[str, ...]] = []
    both = Barrier(2, timeout=PATIENCE)

    def obtain(names: Iterable[str], _: Path) -> str:
        found.append(tuple(names))
        if len(found) == 1:
            both.wait()
        return ""

    def fetch(*_: Any, **__: Any) -> str:
        both.wait()
        return "no network"

    monkeypatch.setattr(tools, "obtain", obtain)
    monkeypatch.setattr(archives, "fetch", fetch)
    return found


def test_side_by_side_and_packages_again_for_what_no_archive_brought(
    asked: list[tuple[str, ...]], tmp_path: Path
) -> None:
    assert up.fetch(load({"RUN_DIR": str(tmp_path)}), WANTED) == ("no network", "")
    assert asked == [("ngircd",), ("prometheus", "ngircd")]


def test_what_stops_the_archives_stops_the_start(
    asked: list[tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = archives.fetch

    def forged(*args: Any, **kwargs: Any) -> str:
        fetch(*args, **kwargs)
        raise StackError("another file than the pinned one")

    monkeypatch.setattr(archives, "fetch", forged)
    with pytest.raises(StackError, match="pinned"):
        up.fetch(load({"RUN_DIR": str(tmp_path)}), WANTED)
    assert asked == [("ngircd",)]
