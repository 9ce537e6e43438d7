"""Password hashing: argon2id, outside the event loop, with bounded concurrency and memory.

``queue`` decides who may hash next.

Hashes of earlier systems still verify: werkzeug's ``pbkdf2:sha256:N$salt$hex``,
``scrypt:N:r:p$salt$hex`` and ``sha1$salt$hex`` of its first years, and bcrypt. They are replaced
at the next log-in.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from opentelemetry.trace import SpanKind

from app.services.hashing_queue import HashingQueue
from observability.instrument import recording

# The fourth of OWASP's equivalent parameter sets for argon2id (Password Storage Cheat Sheet):
# 9 MiB, four passes, one lane. Less memory slows other requests down less.
HASHER = PasswordHasher(memory_cost=9 * 1024, time_cost=4, parallelism=1)
_BCRYPT_LIMIT = 72  # bytes; bcrypt ignores the rest
_SCRYPT_MEMORY = 128 * 1024 * 1024
HASHING = "hash password"  # the span name; it includes the wait for a thread
P = ParamSpec("P")
R = TypeVar("R")


class Passwords:
    """Hashes and verifies in ``threads`` threads, 9 MiB each, in the order of ``queue``."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "hash")
        self.queue = HashingQueue(threads)

    async def hash(self, password: str) -> str:
        """Return a new salted hash."""
        made, seconds = await self._run(_timed_hash, password)
        self.queue.measured(seconds)
        return made

    async def verify(self, pw_hash: str, password: str) -> bool:
        """Return whether the password matches; False for a hash of unknown format."""
        return await self._run(_matches, pw_hash, password)

    def outdated(self, pw_hash: str) -> bool:
        """Return whether a hash has another format or other parameters than new ones."""
        return not pw_hash.startswith("$argon2id$") or HASHER.check_needs_rehash(pw_hash)

    def close(self) -> None:
        """Finish running hashes and drop the waiting ones."""
        self._pool.shutdown(cancel_futures=True)

    async def _run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        with recording.span(HASHING, {}, SpanKind.INTERNAL):
            return await loop.run_in_executor(self._pool, partial(function, *args, **kwargs))


def _timed_hash(password: str) -> tuple[str, float]:
    """Return a new hash and the seconds it took, including the wait for a processor."""
    began = time.perf_counter()
    return HASHER.hash(password), time.perf_counter() - began


def _matches(pw_hash: str, password: str) -> bool:
    for form, check in _FORMS.items():
        if form.match(pw_hash):
            try:
                return check(pw_hash, password.encode())
            except (Argon2Error, InvalidHashError, ValueError, IndexError):
                return False
    return False


def _argon2(pw_hash: str, password: bytes) -> bool:
    return HASHER.verify(pw_hash, password)


def _pbkdf2(pw_hash: str, password: bytes) -> bool:
    method, salt, digest = pw_hash.split("$")
    _, algorithm, rounds = method.split(":")
    made = hashlib.pbkdf2_hmac(algorithm, password, salt.encode(), int(rounds))
    return hmac.compare_digest(made, bytes.fromhex(digest))


def _scrypt(pw_hash: str, password: bytes) -> bool:
    method, salt, digest = pw_hash.split("$")
    n, r, p = (int(number) for number in method.split(":")[1:])
    made = hashlib.scrypt(password, salt=salt.encode(), n=n, r=r, p=p, maxmem=_SCRYPT_MEMORY)
    return hmac.compare_digest(made, bytes.fromhex(digest))


def _bcrypt(pw_hash: str, password: bytes) -> bool:
    return bcrypt.checkpw(password[:_BCRYPT_LIMIT], pw_hash.encode())


def _salted(pw_hash: str, password: bytes) -> bool:
    """Verify a hash of werkzeug before 0.9.

    It is an HMAC keyed by the salt, or a bare digest without a salt.
    """
    method, salt, digest = pw_hash.split("$")
    made = hmac.new(salt.encode(), password, method) if salt else hashlib.new(method, password)
    return hmac.compare_digest(made.hexdigest(), digest)


_FORMS: dict[re.Pattern[str], Callable[[str, bytes], bool]] = {
    re.compile(r"\$argon2(id?|d)\$"): _argon2,
    re.compile(r"pbkdf2:\w+:\d+\$[^$]*\$[0-9a-f]+\Z"): _pbkdf2,
    re.compile(r"scrypt:\d+:\d+:\d+\$[^$]*\$[0-9a-f]+\Z"): _scrypt,
    re.compile(r"\$2[aby]\$\d\d\$"): _bcrypt,
    re.compile(r"(md5|sha(1|224|256|384|512))\$[^$]*\$[0-9a-f]+\Z"): _salted,
}


def known_form(pw_hash: str) -> bool:
    """Return whether a hash has a format that ``Passwords.verify`` supports."""
    return any(form.match(pw_hash) for form in _FORMS)
