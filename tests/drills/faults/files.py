"""Log files: no room for them, and lines that come late."""

from __future__ import annotations

import contextlib
import datetime
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.faults import beside, repeated
from tests.drills.site import Site


@contextmanager
def full(site: Site) -> Iterator[None]:
    """Fill the disk of the log files at once, as a large copy does."""
    with _grown(site, 1_000_000, 30):
        yield


@contextmanager
def filling(site: Site) -> Iterator[None]:
    """Fill more than half of the disk of the log files, and continue."""
    with _grown(site, 50_000, 13):
        yield


@contextmanager
def _grown(site: Site, pace: int, megabytes: int) -> Iterator[None]:
    """A file of so many megabytes, which grows by ``pace`` bytes each second."""
    assert site.small
    file = site.small / "core"

    def work(over: threading.Event) -> None:
        with file.open("wb", buffering=0) as out:
            with contextlib.suppress(OSError):
                out.write(b"\0" * megabytes * 1_000_000)
            while not over.wait(1):
                with contextlib.suppress(OSError):
                    out.write(b"\0" * pace)

    try:
        with beside(work):
            yield
    finally:
        file.unlink()


@contextmanager
def old_lines(site: Site) -> Iterator[None]:
    """Lines of a month ago turn up in a log file."""
    file = site.run_dir / "logs/json/drill.log"
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=30)
    line = {"ts": then.isoformat(), "level": "info", "service": "drill", "event": "request"}

    def write(site: Site) -> None:
        with file.open("a") as out:
            out.write(json.dumps(line) + "\n")

    with repeated(write, 0.3)(site):
        yield
