"""Parallel downloads: resumed, verified by SHA-256, aborted when they stall."""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from observability.stack.programs.progress import Progress
from observability.stack.settings import StackError

PATIENCE = 9.0  # seconds without a byte, after which a download is aborted
SOCKET = 4.0  # seconds that a connection may be silent before a retry
TRIES = 3  # in a row without progress
PAUSE = 0.5  # seconds before a retry, times the number of failures
CHUNK = 1 << 18
POLL = 0.1
THREAD = "download"
# Errors that a retry may fix.
NETWORK = (
    urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError,
)  # fmt: skip


@dataclass(slots=True)
class Download:
    """A file to download into ``target``; ``error`` tells why it failed, or is ''."""

    name: str
    url: str
    sha256: str
    target: Path
    done: int = 0
    total: int = 0
    error: str = ""
    forged: bool = False  # complete, but its hash is not the pinned one
    over: bool = False
    heard: float = field(default_factory=time.monotonic)

    @property
    def part(self) -> Path:
        """The partial file, from which another run resumes."""
        return self.target.with_name(self.target.name + ".part")

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urllib.parse.urlsplit(self.url).netloc or self.url

    def run(self) -> None:
        """Download, verify, and rename to the target atomically; never raises."""
        try:
            resumed = self.part.exists()
            self._collect()
            if not self._verified() and resumed:  # resumed from another file: start again from zero
                self.part.unlink()
                self._collect()
            if self._verified():
                self.part.replace(self.target)
            else:
                self._refuse()
        except urllib.error.HTTPError as error:
            self.error = f"{self.url} answers {error.code} {error.reason}"
        except NETWORK as error:
            reason = getattr(error, "reason", None) or error
            self.error = f"{self.host}: {getattr(reason, 'strerror', None) or reason}"
        except OSError as error:  # a local disk error; the partial file is removed
            self.part.unlink(missing_ok=True)
            self.error = f"{self.part}: {error.strerror or error}"
        finally:
            self.over = True

    def _collect(self) -> None:
        """Retry until the file is complete; raise after several tries without progress."""
        failures = 0
        while True:
            before = self.done
            try:
                self._transfer()
                if self.done >= self.total:
                    return
                cut = f"cut off after {self.done} of {self.total} bytes"
                problem: Exception = http.client.HTTPException(cut)
            except NETWORK as error:
                problem = error
            failures = 0 if self.done > before else failures + 1
            if _final(problem) or failures >= TRIES:
                raise problem
            time.sleep(failures * PAUSE)

    def _transfer(self) -> None:
        """Send one request, from where the last one ended."""
        have = self.part.stat().st_size if self.part.exists() else 0
        headers = {"User-Agent": "minitwit"}
        request = urllib.request.Request(self.url, headers=headers)  # noqa: S310  # load() checks
        if have:
            request.add_header("Range", f"bytes={have}-")
        try:
            response = urllib.request.build_opener().open(
                request, timeout=SOCKET
            )  # as proxies are now
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            self.done = self.total = have  # complete or too long: the hash decides
            return
        with response:
            if getattr(response, "status", None) != http.HTTPStatus.PARTIAL_CONTENT:
                have = 0
            self.done = have
            self.total = have + int(response.headers.get("Content-Length") or 0)
            with self.part.open("ab" if have else "wb") as file:
                while not self.over and (chunk := response.read1(CHUNK)):
                    file.write(chunk)
                    self.done += len(chunk)
                    self.heard = time.monotonic()

    def _verified(self) -> bool:
        return digest(self.part) == self.sha256

    def _refuse(self) -> None:
        self.forged = True
        self.error = (
            f"{self.url} is another file than the pinned one: its SHA-256 is not {self.sha256}. "
            "It was thrown away"
        )
        self.part.unlink()


def fetch(downloads: Sequence[Download]) -> None:
    """Run all in parallel with progress; the result is in ``error`` of each.

    One that gets no byte for ``PATIENCE`` seconds is abandoned: a name service that does not
    answer, which no socket time-out covers, must not block the others.
    """
    for download in downloads:
        download.heard = time.monotonic()
        threading.Thread(target=download.run, name=THREAD, daemon=True).start()
    progress = Progress()
    try:
        while waiting := [d for d in downloads if not d.over]:
            now = time.monotonic()
            for download in waiting:
                if now - download.heard > PATIENCE:
                    download.error = f"{download.host}: no answer for {PATIENCE:g} s"
                    download.over = True
            progress.show(_line(downloads))
            time.sleep(POLL)
    finally:
        progress.end()
    if forged := [d.error for d in downloads if d.forged]:
        raise StackError("\n".join(f"{line}. Nothing unverified is used." for line in forged))


def _final(problem: Exception) -> bool:
    """Return whether a retry is pointless: refused, or an unknown host."""
    if isinstance(problem, urllib.error.HTTPError):
        return problem.code < http.HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(getattr(problem, "reason", None), socket.gaierror)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _line(downloads: Sequence[Download]) -> str:
    done, total = (sum(getattr(d, name) for d in downloads) / 1e6 for name in ("done", "total"))
    names = " ".join(d.name for d in downloads if not d.over)
    return f"{done:.0f} of {total:.0f} MB  {names}"
