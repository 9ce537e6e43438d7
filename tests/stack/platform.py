"""A whole platform for a test: free ports, its own folder, the real commands."""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import weakref
from contextlib import suppress
from pathlib import Path

from observability.stack.components import COMPONENTS, TABLE
from observability.stack.local import logins, ports
from observability.stack.local.processes import platform_pids
from observability.stack.local.supervise import Process, Supervisor
from observability.stack.local.up import absent
from observability.stack.settings import HOST, Settings, load
from tests.parts import PATIENCE, ROOT, get, request, wait_for

MONITORING = (
    "postgres", "migrate", "node", "postgres-exporter", "ngircd", "relay", "chatlog", "deadman",
    "alertmanager",
    "blackbox", "prometheus",
)  # fmt: skip
# All ports stay below 32768, from where the kernel hands out ports to connections. With fewer
# than a hundred steps no port of one platform is that of another component of another.
LOWEST, STEP, COUNT = 8000, 61, 99


def claim() -> tuple[int, int]:
    """Return an offset with free ports, and the file that reserves it.

    Tests run side by side, and a platform that is about to start does not listen yet.
    """
    folder = Path(tempfile.gettempdir()) / f"minitwit-offsets-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for number in random.sample(range(COUNT), COUNT):
        offset = LOWEST + number * STEP
        held = os.open(folder / str(offset), os.O_WRONLY | os.O_CREAT)
        with suppress(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not any(ports.taken(c.port + offset) for c in TABLE if c.port):
                return offset, held
        os.close(held)
    raise AssertionError("no free ports")


class Platform:
    """A stack in ``run_dir``; nothing runs until ``up``."""

    def __init__(self, run_dir: Path, scale: float = 1) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self.offset, held = claim()
        weakref.finalize(self, os.close, held)
        self.run_dir = run_dir.resolve()
        self.healthy_since = 0.0  # seconds since the epoch
        self.environment = {
            "RUN_DIR": str(self.run_dir),
            "PORT_OFFSET": str(self.offset),
            "TIME_SCALE": f"{scale:g}",
        }

    @property
    def settings(self) -> Settings:
        """What the runner reads from this platform's environment."""
        return load({**os.environ, **self.environment})

    @property
    def supervisor(self) -> Supervisor:
        """The one that keeps the components."""
        return Supervisor(self.run_dir)

    def here(self, *without: str) -> list[str]:
        """Return all components whose programs this machine has, but those ``without``."""
        left = {*without, *absent(self.settings)}
        return [component.name for component in TABLE if component.name not in left]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command of ``python -m observability.stack``."""
        return subprocess.run(
            [sys.executable, "-m", "observability.stack", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE * 2,
        )

    def up(self, *only: str) -> subprocess.CompletedProcess[str]:
        """Start all or ``only`` those; fails if they do not get healthy."""
        done = self.run("up", *(["--only", ",".join(only)] if only else []))
        assert done.returncode == 0, done.stdout + done.stderr
        self.healthy_since = time.time()
        return done

    def down(self) -> None:
        """Stop; fails if a process stays."""
        done = self.run("down")
        assert done.returncode == 0, done.stdout + done.stderr
        assert platform_pids(self.run_dir) == []

    def status(self, wait: int = 15) -> tuple[int, dict[str, str]]:
        """Exit status and, per component, its line of the table."""
        done = self.run("status", "--wait", str(wait))
        lines = [line for line in done.stdout.splitlines() if line.split()[0] in COMPONENTS]
        return done.returncode, {line.split()[0]: re.sub(r"\s+", " ", line) for line in lines}

    def healthy(self) -> dict[str, str]:
        """Wait until every signal arrives; per component, its line of the table.

        ``status`` does not wait for what is bad, and one late answer is. What Alertmanager could
        not deliver is bad for five minutes.
        """
        rows: dict[str, str] = {}

        def good() -> bool:
            status, found = self.status()
            rows.clear()
            rows.update(found)
            return status == 0

        try:
            wait_for("a good status", good, PATIENCE * 2)
        except AssertionError as error:
            raise AssertionError(f"{error}: {rows}") from error
        return rows

    def url(self, component: str) -> str:
        """The address of a component."""
        return f"http://{HOST}:{COMPONENTS[component].port + self.offset}"

    @property
    def login(self) -> dict[str, str]:
        """What a request to Alertmanager and to Blackbox carries."""
        return logins.headers(self.settings.secrets, "alertmanager")

    def start(self, component: str) -> None:
        """Start a component again."""
        self.supervisor.start(component)

    def stop(self, component: str) -> None:
        """Stop a component for good."""
        self.supervisor.stop(component)

    def process(self, component: str) -> Process:
        """A component as the supervisor sees it."""
        return self.supervisor.processes()[component]

    def prometheus(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each sample; a failed query fails the test."""
        path = f"/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        answer = get(self.url("prometheus") + path)
        assert answer.status == 200, answer
        result = answer.json()["data"]["result"]
        return [(row["metric"], float(row["value"][1])) for row in result]

    def fire(self, labels: dict[str, str], annotations: dict[str, str], over: bool = False) -> None:
        """Hand an alert to Alertmanager, as Prometheus does, or its end."""
        self.fire_together([labels], annotations, over)

    def fire_together(
        self, several: list[dict[str, str]], annotations: dict[str, str], over: bool = False
    ) -> None:
        """Hand several alerts to Alertmanager in one request."""
        end = {"endsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())} if over else {}
        body = [{"labels": labels, "annotations": annotations, **end} for labels in several]
        url = self.url("alertmanager") + "/api/v2/alerts"
        headers = {"Content-Type": "application/json", **self.login}
        assert request("POST", url, json.dumps(body).encode(), headers).status == 200

    def chat_lines(self) -> list[str]:
        """What was said in the on-call channel."""
        log = self.run_dir / "logs/chat.log"
        return log.read_text().splitlines() if log.exists() else []
