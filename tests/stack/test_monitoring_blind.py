"""What the dead man's switch posts to Alertmanager leads to its runbook."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from observability.stack.components import COMPONENTS
from observability.stack.deadman.monitoring_blind import Blindness

BASE = "https://code.example.org/runbooks"


def test_its_runbook_is_where_the_setting_says() -> None:
    posted: list[Any] = []

    class Alertmanager(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            posted.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer()

        def _answer(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Alertmanager) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Blindness(f"127.0.0.1:{server.server_port}", "", 60, BASE).keep()
        server.shutdown()
    [alert] = posted
    assert alert["annotations"]["runbook_url"] == f"{BASE}/Watchdog.md"
    assert COMPONENTS["deadman"].env["RUNBOOK_BASE"] == "{runbooks}"
