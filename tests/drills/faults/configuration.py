"""Certificates, rules and settings that are not as they should be."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.drills.site import Site
from tests.parts import free_port


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
    file = site.run_dir / "config/prometheus.yml"
    config = yaml.safe_load(file.read_text())
    [probes] = [job for job in config["scrape_configs"] if job["job_name"] == "probe"]
    labels = {"probe": "certificate", "service": "web", "__param_module": "certificate"}
    probes["static_configs"].append({"targets": [f"127.0.0.1:{port}"], "labels": labels})
    file.write_text(yaml.safe_dump(config))
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
