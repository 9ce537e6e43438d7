"""Log files: no room for them, and lines that come late."""

from __future__ import annotations

import contextlib
import datetime
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.site import Site


@contextmanager
def filling(site: Site) -> Iterator[None]:
    """The disk of the log files fills up, as if somebody copied something there."""
    assert site.small
    file = site.small / "core"
    over = threading.Event()

    def work() -> None:
        with file.open("wb", buffering=0) as out:
            while not over.wait(0.5):
                with contextlib.suppress(OSError):
                    out.write(b"\0" * 1_000_000)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
        file.unlink()


@contextmanager
def old_lines(site: Site) -> Iterator[None]:
    """Lines of a month ago turn up in a log file."""
    file = site.run_dir / "logs/json/drill.log"
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=30)
    line = {"ts": then.isoformat(), "level": "info", "service": "drill", "event": "request"}
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.3):
            with file.open("a") as out:
                out.write(json.dumps(line) + "\n")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
