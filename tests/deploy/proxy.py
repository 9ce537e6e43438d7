"""nginx as in its container, on free ports, before a real api and web."""

from __future__ import annotations

import http.client
import os
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from observability.stack.config.deployments import PROXY_PORTS, Proxy, render_proxy
from observability.stack.programs import tools
from observability.stack.settings import load
from tests.parts import PATIENCE, ROOT, Answer, free_port, request, wait_for

TRUST = "    real_ip_header"  # after the list of those who are believed


@dataclass
class RunningProxy:
    """A running nginx: its ``ports`` by name (http, https, web, api), its files in ``folder``."""

    folder: Path
    ports: dict[str, int]
    grafana: str

    @property
    def log(self) -> Path:
        """The JSON log."""
        return self.folder / "logs/nginx.log"

    @property
    def pid_file(self) -> Path:
        """Where nginx says who its master is."""
        return self.folder / "nginx.pid"

    def url(self, port: str) -> str:
        """Return the URL of a port without TLS."""
        return f"http://127.0.0.1:{self.ports[port]}"

    def get(self, port: str, path: str, **headers: str) -> Answer:
        """Send a GET to a port without TLS."""
        return request("GET", self.url(port) + path, headers=headers)

    def secure(
        self, method: str, path: str, body: str = "", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request over TLS; the certificate is verified."""
        trust = ssl.create_default_context(cafile=str(self.folder / "secrets/tls/tls_certificate"))
        connection = http.client.HTTPSConnection(
            "localhost", self.ports["https"], timeout=PATIENCE, context=trust
        )
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def serve(self, api: str, web: str) -> None:
        """Say which api and web (host:port) are served, without telling nginx."""
        file = self.folder / "active/upstream.conf"
        file.parent.mkdir(exist_ok=True)
        maps = {"api": api, "web": web}
        file.write_text("".join(f'map "" ${k} {{ default {v}; }}\n' for k, v in maps.items()))


@contextmanager
def start(
    folder: Path,
    api: str,
    web: str,
    grafana: str = "127.0.0.1:9",
    environment: Mapping[str, str] | None = None,
    *,
    header_seconds: int = 10,
    trusted: str = "",
) -> Iterator[RunningProxy]:
    """Run it by way of its container's entry script until it answers; end it afterwards.

    ``trusted``: who says whose request it passes on, besides Cloudflare.
    """
    program = tools.require(["nginx"], load().cache)["nginx"].path
    ports = {name: free_port() for name in PROXY_PORTS}
    make = {**os.environ, "SITE": "localhost"}
    command = [str(ROOT / "deploy/secrets.sh"), str(folder / "secrets")]
    subprocess.run(command, env=make, check=True, capture_output=True)
    (folder / "logs").mkdir()
    proxy = _settings(folder, ports, grafana, header_seconds)
    text = render_proxy(proxy)
    if trusted:
        text = text.replace(TRUST, f"    set_real_ip_from {trusted};\n{TRUST}")
    (folder / "nginx.conf").write_text(text)
    own = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "FOLDER": str(folder),
        "LOG": proxy.log,
        "PID": f"{folder}/nginx.pid",
        "SCRATCH": str(folder),
    }
    nginx = RunningProxy(folder, ports, grafana)
    nginx.serve(api, web)
    command = ["sh", str(ROOT / "deploy/nginx/entrypoint.sh")]
    # Its own group: the loop that rotates ends with it.
    process = subprocess.Popen(
        command, env={**os.environ, **own, **(environment or {})}, process_group=0
    )
    try:
        wait_for("nginx", lambda: nginx.get("status", "/healthz").status == 200)
        yield nginx
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 15)
            process.wait(timeout=PATIENCE)


def _settings(folder: Path, ports: Mapping[str, int], grafana: str, header_seconds: int) -> Proxy:
    return Proxy(
        listen={name: f"127.0.0.1:{port}" for name, port in ports.items()},
        grafana=grafana,
        active=f"{folder}/active/*.conf",
        certificate=f"{folder}/secrets/tls/tls_certificate",
        key=f"{folder}/secrets/tls/tls_key",
        log=f"{folder}/logs/nginx.log",
        temporary_folder=str(folder),
        header_seconds=header_seconds,
    )
