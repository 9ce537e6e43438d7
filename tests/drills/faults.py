"""Real faults, each a context: broken inside, mended afterwards."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.drills.site import Site
from tests.parts import free_port

Fault = Callable[[Site], contextlib.AbstractContextManager[None]]
_numbers = itertools.count(1)


def stopped(component: str) -> Fault:
    """A component ends for good."""

    @contextmanager
    def inject(site: Site) -> Iterator[None]:
        site.stop(component)
        try:
            yield
        finally:
            site.start(component)

    return inject


def killed(component: str, every: float) -> Fault:
    """A component is killed again and again; the supervisor starts it anew each time."""

    def kill(site: Site) -> None:
        if pid := site.process(component).pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    return repeated(kill, every)


def repeated(act: Callable[[Site], object], every: float, threads: int = 1) -> Fault:
    """``threads`` of them do something every so many seconds."""

    @contextmanager
    def inject(site: Site) -> Iterator[None]:
        over = threading.Event()

        def work() -> None:
            while not over.wait(every):
                act(site)

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            over.set()
            for worker in workers:
                worker.join(30)

    return inject


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Somebody's transaction holds the table of messages."""
    with site.database() as session, session.transaction():
        session.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def queue(site: Site) -> Iterator[None]:
    """Readers ask without pause for what is locked most of the time, but never for long."""
    with repeated(hold, 0.02)(site), repeated(read, 0.01, 40)(site):
        yield


def hold(site: Site) -> None:
    """The table of messages is locked for a moment."""
    with locked(site):
        time.sleep(0.2)  # this is the fault itself


@contextmanager
def slowed(site: Site) -> Iterator[None]:
    """Nothing fails, but two thirds of the time the table of messages is locked."""

    def hold_long(site: Site) -> None:
        with locked(site):
            time.sleep(1)  # this is the fault itself

    with repeated(hold_long, 0.5)(site):
        yield


def read(site: Site) -> None:
    """The newest messages."""
    site.send("GET", "/msgs", "")


@contextmanager
def read_only(site: Site) -> Iterator[None]:
    """PostgreSQL takes no more writes, as after a failover to a standby."""
    _set(site, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield
    finally:
        _set(site, "ALTER SYSTEM RESET default_transaction_read_only")


def _set(site: Site, statement: str) -> None:
    with site.database() as session:
        session.execute(statement)
        session.execute("SELECT pg_reload_conf()")


@contextmanager
def no_backup(site: Site) -> Iterator[None]:
    """No backup was taken since the day before yesterday."""
    with site.database() as session:
        session.execute("UPDATE backups SET taken_at = taken_at - interval '2 days'")
        try:
            yield
        finally:
            session.execute("INSERT INTO backups VALUES (now(), 1)")


@contextmanager
def connections(site: Site) -> Iterator[None]:
    """Sessions are left open, until nine of ten are taken."""
    with contextlib.ExitStack() as held, site.database() as session:

        def number(query: str) -> int:
            row = session.execute(query).fetchone()
            return int(row[0]) if row else 0

        limit = number("SELECT current_setting('max_connections')")
        while number("SELECT count(*) FROM pg_stat_activity WHERE datname <> ''") < 0.9 * limit:
            held.enter_context(site.database())
        yield


def disconnect(site: Site) -> None:
    """All sessions of api are ended by the server."""
    with contextlib.suppress(psycopg.OperationalError), site.database() as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name <> 'drill' AND datname = current_database()"
            " AND query NOT LIKE '%pg_stat%'"
        )


def register_someone(site: Site) -> None:
    """One more of a crowd registers."""
    name = f"drill{os.getpid()}x{next(_numbers)}"
    site.send("POST", "/register", {"username": name, "email": "d@d.d", "pwd": "drill"})


def register_again(site: Site) -> None:
    """The same name each time."""
    site.send("POST", "/register", {"username": "drill", "email": "d@d.d", "pwd": "drill"})


def try_a_password(site: Site) -> None:
    """A log-in that fails."""
    site.send("POST", "/api/sessions", {"username": "nobody", "password": str(next(_numbers))})


def send_garbage(site: Site) -> None:
    """A body that is no JSON."""
    site.send("POST", "/register", "{no json")


def starve(site: Site) -> None:
    """api does not get to run for a while."""
    pid = site.process("api").pid
    if pid:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.3)  # this is the fault itself
        os.kill(pid, signal.SIGCONT)


@contextmanager
def crowded(site: Site) -> Iterator[None]:
    """Thousands of clients begin a large request and do not end it."""
    host, _, port = site.url("api").removeprefix("http://").partition(":")
    head = b"GET /msgs HTTP/1.1\r\nHost: drill\r\nX-Large: " + b"x" * 30_000
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            held = []
            for _ in range(3000):
                with contextlib.suppress(OSError):
                    one = socket.create_connection((host, int(port)), 5)
                    held.append(one)
                    one.sendall(head)
                if over.is_set():
                    break
            over.wait(5)
            for one in held:
                one.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        over.set()
        for worker in workers:
            worker.join(60)
        site.stop("api")  # as the runbook says: what Python once took it does not give back
        site.start("api")


@contextmanager
def filling(site: Site) -> Iterator[None]:
    """The disk of the log files fills up, as if somebody copied something there."""
    assert site.small
    file = site.small / "core"
    over = threading.Event()

    def work() -> None:
        with file.open("wb", buffering=0) as out:
            while not over.wait(0.5):
                with contextlib.suppress(OSError):
                    out.write(b"\0" * 1_000_000)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
        file.unlink()


@contextmanager
def old_lines(site: Site) -> Iterator[None]:
    """Lines of a month ago turn up in a log file."""
    file = site.run_dir / "logs/json/drill.log"
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=30)
    line = {"ts": then.isoformat(), "level": "info", "service": "drill", "event": "request"}
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.3):
            with file.open("a") as out:
                out.write(json.dumps(line) + "\n")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


@contextmanager
def certificate(site: Site) -> Iterator[None]:
    """A server whose certificate has a day left is probed; it gets a new one."""
    folder, port = site.run_dir, free_port()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def issue(days: int) -> None:
        key, file = folder / f"drill{days}.key", folder / f"drill{days}.crt"
        command = [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days),
            "-subj", "/CN=drill", "-keyout", str(key), "-out", str(file),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        context.load_cert_chain(file, key)

    def serve(listener: socket.socket) -> None:
        while True:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True):
                    pass

    issue(1)
    listener = socket.create_server(("127.0.0.1", port))
    # It serves until this process ends: the all-clear comes from its new certificate.
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    job = f"""
  - job_name: drill
    metrics_path: /probe
    params: {{module: [certificate], target: ["127.0.0.1:{port}"]}}
    static_configs:
      - targets: ["{site.url("blackbox").removeprefix("http://")}"]
        labels: {{probe: certificate, service: web}}
"""
    file = site.run_dir / "config/prometheus.yml"
    file.write_text(file.read_text() + job)
    site.supervisor.hang_up("prometheus")
    try:
        yield
    finally:
        issue(90)


@contextmanager
def broken_rule(site: Site) -> Iterator[None]:
    """A rule that cannot be evaluated gets in: several series on both sides match."""
    rule = "groups: [{name: drill, rules: [{record: 'a:b:c', expr: 'up + on() up'}]}]\n"
    file = site.run_dir / "config/rules/drill.yml"
    file.write_text(rule)
    site.supervisor.hang_up("prometheus")
    try:
        yield
    finally:
        file.unlink()
        site.supervisor.hang_up("prometheus")


@contextmanager
def broken_configuration(site: Site) -> Iterator[None]:
    """Somebody edits prometheus.yml by hand."""
    with changed(site, "prometheus.yml", lambda text: text + "nonsense: true\n"):
        yield


@contextmanager
def changed(site: Site, name: str, change: Callable[[str], str]) -> Iterator[None]:
    """A file of the configuration is another, and Prometheus is told so."""
    file: Path = site.run_dir / "config" / name
    text = file.read_text()
    file.write_text(change(text))
    site.supervisor.hang_up("prometheus")
    try:
        yield
    finally:
        file.write_text(text)
        site.supervisor.hang_up("prometheus")


@contextmanager
def relay_stopped(site: Site) -> Iterator[None]:
    """Nothing gets into the room, while there is something to say."""
    site.stop("relay")
    site.fire({"alertname": "Drill", "severity": "critical", "service": "drill"}, {})
    try:
        yield
    finally:
        site.start("relay")
