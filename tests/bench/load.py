"""Load by wrk, which uses little CPU itself, so that the server is measured."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from observability.stack.programs import tools
from observability.stack.settings import load as settings
from tests.parts import request

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 8
SIMULATOR = "Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh"


@dataclass(frozen=True)
class Work:
    """One kind of request; the ``paths`` are asked for in turn."""

    status: int
    paths: tuple[str, ...]
    method: str = "GET"
    body: str = ""
    authorization: str = SIMULATOR

    def check(self, url: str) -> None:
        """Fail unless the server answers as it should."""
        headers = {"Authorization": self.authorization, "Content-Type": "application/json"}
        answer = request(self.method, url + self.paths[0], self.body.encode() or None, headers)
        assert answer.status == self.status, (self.paths[0], answer)


@dataclass(frozen=True)
class Load:
    """What came of it: requests a second, milliseconds."""

    rate: float
    p50: float
    p99: float


def drive(url: str, work: Work, seconds: float, connections: int = CONNECTIONS) -> Load:
    """As many requests as the server takes; AssertionError if one was lost or failed."""
    program = tools.require(["wrk"], settings().cache)["wrk"]
    command = [
        str(program.path), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "5s",
        "-s", str(SCRIPT), url, "--", work.method, work.authorization, work.body, *work.paths,
    ]  # fmt: skip
    done = subprocess.run(
        command, env={**os.environ, **program.env}, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    refused = 0 if work.status < 400 else found["requests"]
    assert (found["refused"], found["lost"]) == (refused, 0), found
    return Load(found["requests"] / found["seconds"], found["p50"], found["p99"])
