"""The setup of a bench: its own PostgreSQL, databases of chosen sizes, a collector."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import seed, servers
from tests.bench.servers import Server
from tests.collector import receiver
from tests.parts import PostgresServer


@dataclass
class Environment:
    """``rounds`` of so many ``seconds`` each; ``large``: messages of the large table."""

    folder: Path
    postgres: PostgresServer
    collector: str
    rounds: int
    seconds: float
    large: int
    paced: float = 15.0  # seconds of a run at a given pace
    began: float = field(default_factory=time.monotonic)
    _databases: dict[int, str] = field(default_factory=dict)

    def database(self, messages: int) -> str:
        """One with so many messages; each size is filled once."""
        if messages not in self._databases:
            self._databases[messages] = self.postgres.create_database(f"bench{messages}")
            seed.fill(self._databases[messages], messages)
        return self._databases[messages]

    def empty(self, name: str) -> str:
        """One without any."""
        return self.postgres.create_database(name)

    def server(self, variant: str, url: str, pinned: bool = True) -> AbstractContextManager[Server]:
        """One server."""
        return servers.running(variant, url, self.folder, self.collector, pinned)

    @contextmanager
    def servers(self, variants: tuple[str, ...], url: str) -> Iterator[dict[str, Server]]:
        """Several at once, on the same database."""
        with ExitStack() as stack:
            yield {name: stack.enter_context(self.server(name, url)) for name in variants}

    def say(self, text: str) -> None:
        """How far it is."""
        print(f"{time.monotonic() - self.began:4.0f} s  {text}", flush=True)


@contextmanager
def environment(folder: Path, rounds: int, seconds: float, large: int) -> Iterator[Environment]:
    """Everything ends with the block."""
    folder.chmod(0o755)
    (folder / "postgres").mkdir()
    postgres = PostgresServer(folder / "postgres")
    try:
        with receiver(look=False) as collector:
            yield Environment(folder, postgres, collector.url, rounds, seconds, large)
    finally:
        postgres.stop()
