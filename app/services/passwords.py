"""Password hashing: argon2id, off the event loop, and never more at once than memory allows."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

# OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
# Hashing gives way to serving: on Linux a thread has a niceness of its own.
_NICENESS = 10
P = ParamSpec("P")
R = TypeVar("R")


class Passwords:
    """Hashes and verifies in ``threads`` threads; the others wait their turn (19 MiB each)."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "hash", initializer=_be_nice)

    async def hash(self, password: str) -> str:
        """A new salted hash."""
        return await self._run(_HASHER.hash, password)

    async def verify(self, pw_hash: str, password: str) -> bool:
        """Whether ``password`` is the one that was hashed; False for a hash of unknown form."""
        return await self._run(_matches, pw_hash, password)

    def close(self) -> None:
        """Let what is being hashed finish, drop the rest."""
        self._pool.shutdown(cancel_futures=True)

    async def _run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(function, *args, **kwargs))


def _matches(pw_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(pw_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def _be_nice() -> None:
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
