"""Real faults, each a context: broken inside, mended afterwards."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.drills.site import Site

Fault = Callable[[Site], contextlib.AbstractContextManager[None]]


@contextmanager
def beside(work: Callable[[threading.Event], None], threads: int = 1) -> Iterator[None]:
    """Run ``work`` in so many threads until the block ends; it checks the event."""
    over = threading.Event()
    workers = [threading.Thread(target=work, args=(over,)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        over.set()
        for worker in workers:
            worker.join(60)


def repeated(act: Callable[[Site], object], every: float, threads: int = 1) -> Fault:
    """``threads`` of them do something every so many seconds."""

    @contextmanager
    def inject(site: Site) -> Iterator[None]:
        def work(over: threading.Event) -> None:
            while not over.wait(every):
                act(site)

        with beside(work, threads):
            yield

    return inject
