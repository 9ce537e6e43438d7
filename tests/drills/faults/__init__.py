"""Real faults, each a context: broken inside, mended afterwards."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.drills.site import Site

Fault = Callable[[Site], contextlib.AbstractContextManager[None]]


def repeated(act: Callable[[Site], object], every: float, threads: int = 1) -> Fault:
    """``threads`` of them do something every so many seconds."""

    @contextmanager
    def inject(site: Site) -> Iterator[None]:
        over = threading.Event()

        def work() -> None:
            while not over.wait(every):
                act(site)

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            over.set()
            for worker in workers:
                worker.join(30)

    return inject
