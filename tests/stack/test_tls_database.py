"""A PostgreSQL that takes nothing but TLS: services, exporter and backup all reach it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from observability.stack.local.postgres import UNPRIVILEGED, as_unprivileged
from observability.stack.programs.tools import find
from tests.parts import free_port, request, wait_for
from tests.stack.platform import Platform

pytestmark = pytest.mark.stack
HBA = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
PASSWORD = "a%b@c"  # to be escaped in an address
ESCAPED = "a%25b%40c"


def programs() -> Path:
    """A PostgreSQL with TLS, which the wheel's has not; Debian's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found or not shutil.which("openssl"):
        pytest.skip("TLS TO POSTGRESQL NOT TESTED: apt-get install postgresql openssl")
    return found[-1]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, Path]]:
    """Its port and the certificate it signed itself."""
    binaries = programs()
    with tempfile.TemporaryDirectory(prefix="minitwit-tls-") as name:
        (folder := Path(name)).chmod(0o755)
        (home := folder / "home").mkdir()
        (folder / "password").write_text(PASSWORD)
        shutil.chown(home, UNPRIVILEGED) if as_unprivileged() else None
        unprivileged = [*as_unprivileged(), "env", "-C", str(home)]

        def run(*command: str) -> None:
            subprocess.run([*unprivileged, *command], check=True, capture_output=True)

        data = home / "data"
        run(str(binaries / "initdb"), "-D", str(data), "-U", "minitwit", "--auth=scram-sha-256",
            f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--locale=C.UTF-8")  # fmt: skip
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", str(home / "key"), "-out", str(home / "crt"))  # fmt: skip
        (data / "pg_hba.conf").write_text(HBA)
        port = free_port()
        settings = {
            "ssl": "on", "ssl_cert_file": home / "crt", "ssl_key_file": home / "key", "port": port,
            "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
        }  # fmt: skip
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        command = [*unprivileged, str(binaries / "postgres"), "-D", str(data), *flags]
        certificate = Path(shutil.copy(home / "crt", folder / "ca"))
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for("PostgreSQL", lambda: made(port))
                yield port, certificate
            finally:
                process.terminate()


def made(port: int) -> bool:
    """Whether the database is there, which this makes."""
    url = f"postgresql://minitwit:{ESCAPED}@127.0.0.1:{port}/postgres"
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE minitwit")
    except psycopg.errors.DuplicateDatabase:
        return True
    except psycopg.Error:
        return False
    return True


@pytest.mark.parametrize("query", ["", "?sslmode=require", "?sslmode=verify-full&sslrootcert={ca}"])
def test_exporter_and_backup_speak_tls(query: str, server: tuple[int, Path]) -> None:
    port, certificate = server
    with tempfile.TemporaryDirectory(prefix="minitwit-tls-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        if not find("postgres-exporter", platform.settings.cache):
            pytest.skip("TLS TO POSTGRESQL NOT TESTED: no exporter on this machine")
        address = f"postgresql://minitwit:{ESCAPED}@127.0.0.1:{port}/minitwit"
        platform.environment["DATABASE_URL"] = address + query.format(ca=certificate)
        try:
            platform.up("migrate", "backup", "postgres-exporter")
            metrics = platform.url("postgres-exporter") + "/metrics"
            wait_for("the exporter", lambda: b"\npg_up 1" in request("GET", metrics).body)
            backups = platform.run_dir / "data/backups"
            wait_for("a backup", lambda: [*backups.glob("minitwit-*.dump")])
        finally:
            platform.down()
