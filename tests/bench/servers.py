"""The servers that are compared: api as it is, without telemetry, and bare handlers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parts import ROOT, free_port, request, wait_for

# The server that is measured has a core of its own; PostgreSQL and wrk have the others.
SERVER_CORE = 0
# The peers' libraries are in an environment of their own.
PEERS = Path(sys.prefix) / "peers/bin/python"
TICKS = os.sysconf("SC_CLK_TCK")
NO_TRACES, NO_LOG = {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, {"LOG_LEVEL": "critical"}
# name → module and arguments, environment
VARIANTS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "observed": (("app", "api"), {}),
    "all traced": (("app", "api"), {"OTEL_TRACES_SAMPLER_ARG": "1"}),
    "metrics only": (("app", "api"), NO_TRACES | NO_LOG),
    "metrics and log": (("app", "api"), NO_TRACES),
    "metrics and traces": (("app", "api"), NO_LOG),
    "unobserved": (("tests.bench.unobserved",), {}),
    "stock": (("tests.bench.stock",), {}),
    "bare": (("tests.bench.bare",), {}),
    "starlette": (("tests.bench.bare",), {}),  # what the peers' results call it
    "fastapi, instrumented": (("tests.bench.peers.fastapi_service",), {"PEER": "instrumented"}),
    "fastapi": (("tests.bench.peers.fastapi_service",), {}),
}


@dataclass
class Server:
    """A server that runs."""

    url: str
    process: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """Seconds of processor time it has had."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / TICKS

    def memory(self) -> float:
        """Megabytes that are resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


def keep_off(core: int = SERVER_CORE) -> None:
    """Bind this process and its children to other cores than ``core``."""
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - {core} or {core})


@contextmanager
def running(
    name: str, database_url: str, folder: Path, collector: str = "", pinned: bool = True
) -> Iterator[Server]:
    """One variant, from its readiness to its end."""
    module, extra = VARIANTS[name]
    port = free_port()
    environment = {
        **os.environ, "DATABASE_URL": database_url, "PORT": str(port), "LOG_STDOUT": "0",
        "LOG_FILE": str(folder / f"{name}-{port}.log"), "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        **extra,
    }  # fmt: skip
    mine = os.sched_getaffinity(0)
    if pinned:
        os.sched_setaffinity(0, {SERVER_CORE})
    try:
        python = PEERS if module[0].startswith("tests.bench.peers") else sys.executable
        process = subprocess.Popen([python, "-m", *module], cwd=ROOT, env=environment)
    finally:
        os.sched_setaffinity(0, mine)
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        wait_for(f"{name} ready", lambda: request("GET", f"{server.url}/readyz").status == 200)
        yield server
    finally:
        process.terminate()
        process.wait(20)
