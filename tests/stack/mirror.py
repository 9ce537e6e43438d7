"""A misbehaving mirror of release archives on loopback.

The programs in its archives are scripts that answer ``--version`` as the real ones do.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from observability.stack.programs import archives, download, tools, unpack
from observability.stack.programs.versions import RELEASES, Release
from observability.stack.settings import ROOT, Settings, load
from tests.parts import PATIENCE

PADDING = bytes(range(256)) * 2000  # half a megabyte, so that a file comes in several pieces
LOKI, VERSION = "loki", RELEASES["loki"].version


def script(name: str, version: str) -> bytes:
    """A program of that version."""
    return f"#!/bin/sh\necho '{name}, version {version} (branch: HEAD)'\n".encode()


def zipped(name: str, version: str) -> bytes:
    """As Loki's: one file with the platform in its name, not executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(f"{name}-linux-amd64", script(name, version))
        file.writestr("LICENSE", PADDING)
    return buffer.getvalue()


def tarred(version: str, *names: str, top: str = "") -> bytes:
    """As Prometheus's with a folder around all, or as Tempo's without."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as file:
        for name, text in [("LICENSE", PADDING), *((n, script(n, version)) for n in names)]:
            info = tarfile.TarInfo(f"{top}/{name}" if top else name)
            info.size, info.mode = len(text), 0o644
            file.addfile(info, io.BytesIO(text))
    return buffer.getvalue()


def pinned(name: str, content: bytes, arch: str = "amd64") -> Release:
    """The release as the table has it, but for the hash."""
    return replace(RELEASES[name], sha256={arch: hashlib.sha256(content).hexdigest()})


@dataclass
class Mirror:
    """``files`` by path; ``asked`` is what was, with the Range; ``pace`` waits before a piece."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""
    ranges: bool = True
    cut: Callable[[int], int] = lambda length: length  # after how many bytes it hangs up
    pace: float = 0.0
    pieces: int = 1
    status: int = 200
    over: threading.Event = field(default_factory=threading.Event)
    held: bool = False  # whether the last piece waits until all is over


@contextmanager
def serve() -> Iterator[Mirror]:
    """A mirror that runs."""
    mirror = Mirror()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, mirror)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # closing it waits for what it still answers
    mirror.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield mirror
    finally:
        mirror.over.set()
        server.shutdown()
        server.server_close()


def answer(handler: BaseHTTPRequestHandler, mirror: Mirror) -> None:
    """One request, as badly as the mirror is told to."""
    path, wanted = handler.path.lstrip("/"), handler.headers.get("Range", "")
    mirror.asked.append((path, wanted))
    content = mirror.files.get(path)
    if content is None or mirror.status != 200:
        handler.send_error(404 if content is None else mirror.status)
        return
    begin = int(wanted[6:-1]) if wanted and mirror.ranges else 0
    if begin >= len(content):
        handler.send_error(416)
        return
    rest = content[begin:]
    handler.send_response(206 if begin else 200)
    handler.send_header("Content-Length", str(len(rest)))
    handler.end_headers()
    rest = rest[: mirror.cut(len(rest))]
    size = -(-len(rest) // mirror.pieces)
    for start in range(0, len(rest), size):
        mirror.over.wait(PATIENCE if mirror.held and start + size >= len(rest) else mirror.pace)
        try:
            handler.wfile.write(rest[start : start + size])
            handler.wfile.flush()
        except OSError:  # the client has disconnected
            return


def child(name: str, sha256: str) -> None:
    """Fetch one release as another process does; its hash comes from the test."""
    download.SOCKET = download.PATIENCE = PATIENCE
    RELEASES[name] = replace(RELEASES[name], sha256={archives.architecture(): sha256})
    print(archives.fetch(load(), [name]))


def found(settings: Settings) -> bool:
    """Return whether Loki is in the cache."""
    program = tools.find(LOKI, settings.cache)
    return program is not None and program.path.parent == tools.folder(LOKI, settings.cache)


def leftovers(settings: Settings) -> set[str]:
    """What lies in the cache besides whole programs and locks."""
    return {
        path.name
        for path in settings.cache.rglob("*")
        if path.name.startswith(unpack.WORK) or path.name.endswith(".part")
    }


def process(settings: Settings, content: bytes) -> subprocess.Popen[str]:
    """Fetch Loki from the mirror in another process."""
    environment = {
        **os.environ,
        "MINITWIT_CACHE": str(settings.cache),
        "MINITWIT_MIRROR": settings.mirror,
    }
    command = [sys.executable, "-m", "tests.stack.mirror", LOKI]
    command.append(pinned(LOKI, content).sha256["amd64"])
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip


def offer_here(mirror: Mirror, offer: bytes) -> None:
    """For the architecture of this machine, which another process cannot be told another of."""
    arch = archives.ARCHITECTURES.get(os.uname().machine, "amd64")
    mirror.files[archives.path(LOKI, "amd64").replace("amd64", arch)] = offer


if __name__ == "__main__":
    child(*sys.argv[1:])
