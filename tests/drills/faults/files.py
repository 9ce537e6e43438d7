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
def filling(site: Site) -> Iterator[None]:
    """The disk of the log files fills up, as if somebody copied something there."""
    assert site.small
    file = site.small / "core"

    def work(over: threading.Event) -> None:
        with file.open("wb", buffering=0) as out:
            while not over.wait(0.5):
                with contextlib.suppress(OSError):
                    out.write(b"\0" * 1_000_000)

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
