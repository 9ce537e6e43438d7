"""One host without Docker: nginx, two pairs, and the script deploy-compose.sh."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.deploy import monitoring, proxy
from tests.deploy.monitoring import Monitoring
from tests.deploy.proxy import RunningProxy
from tests.parts import PATIENCE, ROOT, free_port

# What a version is here: the settings it runs under.
VERSIONS = {
    "good": "",
    "better": "LOG_LEVEL=warning",
    "never-ready": "DATABASE_URL=postgresql://nobody:nothing@127.0.0.1:9/none",
    "cannot-write": "DATABASE_URL={reader}",
    # Passes every gate; what people post is refused, and only that.
    "cannot-post": "DATABASE_URL={clerk}",
    # Fails nothing, but takes its time.
    "slow": "DATABASE_URL={sleeper}",
}

PROBE = "a-probe's-password"  # pragma: allowlist secret
COMMON = (
    "SECRET_KEY=the-same-for-both", "PROBE_USER=minitwit-probe",
    "PROBE_PASSWORD_FILE=$STATE/probe_password",
)  # fmt: skip
# May do everything, but there is a trigger for what people post.
TRIGGER = """
CREATE OR REPLACE FUNCTION judged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT NEW.flagged AND session_user = 'clerk' THEN RAISE 'refused'; END IF;
    IF NOT NEW.flagged AND session_user = 'sleeper' THEN PERFORM pg_sleep(2); END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER judged BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION judged();
"""


@dataclass
class Site:
    """A host in ``folder``; blue serves at first."""

    folder: Path
    proxy: RunningProxy
    environment: dict[str, str]
    notes: list[dict[str, Any]] = field(default_factory=list)
    monitoring: Monitoring = field(kw_only=True)

    @property
    def active(self) -> str:
        """The colour that nginx sends requests to."""
        return (
            "blue"
            if f"default 127.0.0.1:{self.environment['BLUE_API']};" in self.upstream
            else "green"
        )

    @property
    def upstream(self) -> str:
        """Which replicas nginx sends requests to, as its configuration says."""
        return (self.folder / "nginx/active/upstream.conf").read_text()

    def runs(self, colour: str) -> bool:
        """Whether a pair's api is alive."""
        pid = int((self.folder / f"{colour}-api.pid").read_text())
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat.rpartition(")")[2].split()[0] not in "ZX"

    def driver(self, words: str) -> None:
        """Some of the driver's words."""
        script = f"set -eu; . {ROOT}/tests/deploy/processes.sh; {words}"
        subprocess.run(["bash", "-c", script], cwd=ROOT, env=self.environment, check=True)

    def deploy(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        return subprocess.run(
            [str(ROOT / "deploy/deploy-compose.sh"), *arguments],
            env={**self.environment, **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    @contextmanager
    def deploying(self, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """The script while the body runs."""
        command = [str(ROOT / "deploy/deploy-compose.sh"), *arguments]
        environment = {**self.environment, **settings}
        with self.said.open("w") as log:
            done = subprocess.DEVNULL
            with subprocess.Popen(command, env=environment, stdout=done, stderr=log) as process:
                yield process

    @property
    def said(self) -> Path:
        """What ``deploying`` wrote for people."""
        return self.folder / "deploy.log"

    def split(self) -> bool:
        """Whether the new version has its small share of the requests."""
        return "split_clients" in self.upstream

    @contextmanager
    def load(
        self, rate: int, actions: int, timeout: float, report: Path, *options: str
    ) -> Iterator[None]:
        """The simulator through nginx while the body runs, and to its end."""
        command = [
            sys.executable, "-m", "simulator", "--url", self.proxy.url("api"), "--rate",
            str(rate), "--actions", str(actions), "--even", "--timeout", str(timeout),
            "--report", str(report), *options,
        ]  # fmt: skip
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as simulator:
            yield
            simulator.wait(timeout=180)


def figures(report: Path) -> dict[str, Any]:
    """What a simulator's report says of all commands together."""
    totals: dict[str, Any] = json.loads(report.read_text())["totals"]
    return totals


@contextmanager
def start(folder: Path, database_url: str, *patience: str) -> Iterator[Site]:
    """A host whose blue pair serves; everything ends afterwards.

    ``patience``: settings for all versions, where a busy machine must not make an answer fail.
    """
    (folder / "versions").mkdir()
    roles = _roles(database_url)
    for name, text in VERSIONS.items():
        own = text.format(**roles).split()
        lines = [f"DATABASE_URL={database_url}", *COMMON, *patience, *own]
        (folder / "versions" / name).write_text("\n".join(lines) + "\n")
    ports = {f"{c}_{s}": str(free_port()) for c in ("BLUE", "GREEN") for s in ("API", "WEB")}
    environment = {
        **os.environ, **ports, "STATE": str(folder), "VERSIONS": str(folder / "versions"),
        "PYTHON": sys.executable, "NGINX": str(folder / "nginx"), "SITE_DATABASE": database_url,
        "DRIVER": str(ROOT / "tests/deploy/processes.sh"), "ASK_SECONDS": "60",
    }  # fmt: skip
    (folder / "active").write_text("blue")
    (folder / "nginx").mkdir()
    to_api, to_web = (f"127.0.0.1:{ports[f'BLUE_{service}']}" for service in ("API", "WEB"))
    (folder / "probe_password").write_text(PROBE)
    with (
        proxy.start(folder / "nginx", to_api, to_web) as nginx,
        monitoring.start(folder / "monitoring", ports) as watched,
        _grafana() as (url, notes),
    ):
        environment |= {
            "GRAFANA_URL": url, "PROMETHEUS_URL": watched.prometheus,
            "ALERTMANAGER_URL": watched.alertmanager,
        }  # fmt: skip
        site = Site(folder, nginx, environment, notes, monitoring=watched)
        try:
            site.driver("start blue good")
            yield site
        finally:
            for file in folder.glob("*.pid"):
                _end(int(file.read_text()))


ROLES = ("reader", "clerk", "sleeper")


def _roles(database_url: str) -> dict[str, str]:
    """Addresses of the same database for roles that may do less."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role in {*ROLES} - known:
            create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'r' IN ROLE pg_read_all_data")
            connection.execute(create.format(sql.Identifier(role)))
        for role in ("clerk", "sleeper"):
            grant = sql.SQL("GRANT ALL ON ALL {} IN SCHEMA public TO {}")
            for what in ("TABLES", "SEQUENCES"):
                connection.execute(grant.format(sql.SQL(what), sql.Identifier(role)))
        connection.execute(TRIGGER)
    scheme, _, rest = database_url.partition("://")
    return {role: f"{scheme}://{role}:r@{rest.partition('@')[2]}" for role in ROLES}


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def _grafana() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """No Grafana can be had here: who takes annotations as it does, and keeps them."""
    notes: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            good = self.path == "/api/annotations" and self.headers["Authorization"]
            self.send_response(200 if good else 401)
            self.end_headers()
            notes.append(json.loads(body))

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", notes
        finally:
            server.shutdown()
            thread.join()
