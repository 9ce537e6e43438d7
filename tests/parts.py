"""Parts of tests: free ports, polling, PostgreSQL, a service as a process."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from app.database.migrate import migrate
from app.database.roles import GRANTS, Role
from observability.stack.local import postgres

ROOT = Path(__file__).parent.parent
# The longest that a test waits for anything (seconds). It ends what is hopeless, and says nothing
# about speed: a machine that has no time is as good as any other. A mutant's tests have less.
PATIENCE = float(os.environ.get("TEST_PATIENCE", "180"))
ROLES = [Role(purpose, f"minitwit_{purpose}", f"of-{purpose}") for purpose in GRANTS]
# What a shell may say of other databases; only the timeout is meant for ours.
FOREIGN_PG: dict[str, Any] = {
    "PGCLIENTENCODING": "LATIN1", "PGTZ": "Asia/Tokyo", "PGDATESTYLE": "German",
    "PGHOSTADDR": "127.0.0.99",
    "PGOPTIONS": "-c search_path=foreign_schema -cclient_encoding=LATIN1 --role=pg_monitor"
    " -c default_transaction_read_only=on -c statement_timeout=54321",
}  # fmt: skip
T = TypeVar("T")


# Above those that the kernel gives to outgoing connections (ip_local_port_range), in an order of
# this process's own, and none twice: two parts of a test that start together never meet. Of
# several processes that share the tests each has ports of its own.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_own = range(61_000 + WORKER, 65_536, WORKERS)
_ports = iter(random.sample(_own, len(_own)))


def free_port() -> int:
    """A port that nobody listens on, and that this process was not given before."""
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is left")


def wait_for(what: str, read: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """Poll ``read`` until it gives something true; fail naming ``what`` when time is up."""
    deadline = time.monotonic() + seconds
    while True:
        if value := read():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


def end_as_by_hand() -> None:
    """Let SIGTERM end this program as Ctrl-C does: what it started is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of an HTTP answer; 0 where there was none."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def request(
    method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One HTTP request; an error status is an answer like any other."""
    call = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(call, timeout=30) as response:
            return Answer(response.status, response.read(), _lower(response.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(), _lower(error.headers))
    except OSError:
        return Answer(0)


def get(url: str) -> Answer:
    """Return the answer of a server that runs, however slow the machine is."""

    def answered() -> Answer | None:
        answer = request("GET", url)
        return answer if answer.status else None

    return wait_for(f"an answer from {url}", answered)


@contextmanager
def stranger(says: bytes, path: str = "") -> Iterator[str]:
    """A server that answers everything with ``says``, and hangs up; yields its address."""
    with socket.socket(socket.AF_UNIX if path else socket.AF_INET) as server:
        server.bind(path or ("127.0.0.1", 0))
        server.listen()
        threading.Thread(target=_answer_all, args=(server, says), daemon=True).start()
        yield path or f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)  # close() alone would leave accept() waiting


def _answer_all(server: socket.socket, says: bytes) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            with client, suppress(OSError):
                client.settimeout(PATIENCE)
                client.recv(65_536)
                client.sendall(says)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65_536):  # a close with bytes unread would be a reset
                    pass


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class PostgresServer:
    """A PostgreSQL in ``home``; can be stopped, frozen and started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self._password = postgres.prepare(home)
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = postgres.command(self.home, self.port, fsync="off", max_connections=200)
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for("PostgreSQL", self._answers)

    @property
    def pid(self) -> int:
        """Of the server, which is the parent of all its processes."""
        return self._process.pid

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return postgres.url(self._password, self.port, database)

    def role_url(self, purpose: str, database: str) -> str:
        """Return the address of a database for a role with least privileges."""
        [role] = [role for role in ROLES if role.purpose == purpose]
        return f"postgresql://{role.name}:{role.password}@127.0.0.1:{self.port}/{database}"

    def import_url(self, url: str) -> str:
        """The same database for the role of the import."""
        return self.role_url("import", url.rpartition("/")[2])

    def create_database(self, name: str, migrated: bool = True) -> str:
        """Make a database and return its address, for the owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        if migrated:
            migrate(self.url(name), ROLES)
        return self.url(name)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server's process group."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for pid in [*map(int, children.read_text().split()), self._process.pid]:
            os.kill(pid, number)

    def stop(self) -> None:
        """Stop at once, ending its connections."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=PATIENCE)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a PostgreSQL in a temporary folder of its own.

    Not in one of pytest's: it may run as another user, and each pytest that starts shuts others
    out of the folder of all runs.
    """
    with tempfile.TemporaryDirectory(prefix="minitwit-test-") as folder:
        server = PostgresServer(Path(folder))
        try:
            yield server
        finally:
            server.stop()


@dataclass
class Service:
    """A running service."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    def get(self, path: str, **headers: str) -> Answer:
        """GET a path of it."""
        return request("GET", self.url + path, headers=_dashed(headers))

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send ``body`` as JSON, or as it is if it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return request(method, self.url + path, data, _dashed(headers))

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of ``name`` that have these labels."""
        from prometheus_client.parser import text_string_to_metric_families

        families = text_string_to_metric_families(self.get("/metrics").body.decode())
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def logs(self) -> list[dict[str, Any]]:
        """What it has logged so far: the lines that are complete."""
        if not self.log_file.exists():  # its first lines are still on their way
            return []
        lines = self.log_file.read_text().rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in lines]


# On a machine without time each statement and each page may wait and take longer than production
# allows. A test about these limits sets its own.
PATIENT = {
    "POOL_TIMEOUT": "20", "STATEMENT_TIMEOUT": "20", "PAGE_TIMEOUT": "40", "REGISTER_TIMEOUT": "2",
}  # fmt: skip


@contextmanager
def start_service(
    name: str, folder: Path, port: int | None = None, **environment: str
) -> Iterator[Service]:
    """Run ``python -m app NAME`` until it is ready; stop it afterwards."""
    port = port or free_port()
    log_file = folder / f"{name}-{port}.log"
    own = {"PORT": str(port), "LOG_FILE": str(log_file), "LOG_STDOUT": "0"}
    settings = {**PATIENT, **own, **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", name], cwd=ROOT, env={**os.environ, **settings}
    )
    service = Service(name, f"http://127.0.0.1:{port}", process, log_file)
    try:
        wait_for(f"{name} ready", lambda: _started(service))
        yield service
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=PATIENCE)


def _started(service: Service) -> bool:
    if service.process.poll() is not None:
        raise AssertionError(f"{service.name} ended with {service.process.returncode}")
    return service.get("/readyz").status == 200


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
