"""Tells someone when the Watchdog stops arriving, by another way than the one it watches.

``python -m observability.stack.chat.deadman``. Alertmanager posts the Watchdog here again and
again.
Without it for SILENCE seconds, this process says so itself in the on-call room, under its own
name and past Alertmanager and the relay, and posts to what is in DEADMAN_URL_FILE, if that is set.
It says so again every hour, and once when the Watchdog is back. A chat that is away is tried
again until it listens.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from observability.exporters import DEADMAN_AGE
from observability.stack.chat.irc import Connection
from observability.stack.targets import ROOM

Way = Callable[[str], None]

NICK, WATCHDOG = "deadman", "Watchdog"
LARGEST = 1_000_000  # bytes of a message
TRY_AGAIN = 2.0
REMIND = 3600.0


class Deadman:
    """``heard`` by the HTTP server, ``watch`` by the main thread. Seconds throughout."""

    def __init__(self, silence: float, remind: float, room: str, chat: str, url: str) -> None:
        self.silence, self.remind = silence, remind
        self.room, self.chat, self.url = room, chat, url
        self.latest = time.monotonic()  # whoever has just begun waits before complaining
        self.silent = False

    def heard(self, body: bytes) -> bool:
        """Take what Alertmanager posts; whether the Watchdog is in it. ValueError if odd."""
        alerts = json.loads(body)["alerts"]
        found = any(
            alert["labels"]["alertname"] == WATCHDOG and alert["status"] == "firing"
            for alert in alerts
        )
        if found:
            self.latest = time.monotonic()
        return found

    @property
    def age(self) -> float:
        """Since the Watchdog was heard, or since the start."""
        return time.monotonic() - self.latest

    def watch(self, over: threading.Event) -> None:
        """Until ``over``."""
        told = 0.0
        while not over.wait(min(1.0, self.silence / 10)):
            silent = self.age > self.silence
            if silent and (not self.silent or time.monotonic() - told > self.remind):
                told = time.monotonic()
                self._tell(over, True)
            elif self.silent and not silent:
                self._tell(over, False)
            self.silent = silent

    def _tell(self, over: threading.Event, silent: bool) -> None:
        text = (
            f"[DEADMAN] no Watchdog for {self.age:.0f} s: alerts do not arrive. "
            "Look at Prometheus and Alertmanager - alerts/runbooks/Watchdog.md"
            if silent
            else "[DEADMAN] the Watchdog is back: alerts arrive again."
        )
        print(text, flush=True)
        ways: list[Way] = [self._say, self._post] if self.url else [self._say]
        while ways and not over.is_set():
            ways = [way for way in ways if not _done(way, text)]
            if ways and over.wait(TRY_AGAIN):
                return
            if (self.age > self.silence) != silent:
                return  # no longer true, before anyone heard of it

    def _say(self, text: str) -> None:
        with Connection(self.chat, NICK) as chat:
            chat.send(f"JOIN {self.room}")
            chat.send(f"PRIVMSG {self.room} :{text}")
            chat.members(self.room)  # the answer says that what came before was taken

    def _post(self, text: str) -> None:
        body = json.dumps({"text": text}).encode()
        call = urllib.request.Request(  # noqa: S310  # the address is the operator's own
            self.url, body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(call, timeout=10):  # noqa: S310
            pass


def _done(way: Way, text: str) -> bool:
    try:
        way(text)
    except OSError as error:
        print(f"not told: {error}", flush=True)
        return False
    return True


def handler(deadman: Deadman) -> type[BaseHTTPRequestHandler]:
    """What answers Alertmanager, Prometheus and whoever asks how it is."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length") or "0"
            if not length.isdecimal() or int(length) > LARGEST:
                self.close_connection = True
                self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large\n")
                return
            try:
                deadman.heard(self.rfile.read(int(length)))
            except (ValueError, KeyError, TypeError):
                self._answer(HTTPStatus.BAD_REQUEST, "this takes what Alertmanager posts\n")
            else:
                self._answer(HTTPStatus.OK, "heard\n")

        def do_GET(self) -> None:
            texts = {"/metrics": _metrics(deadman), "/healthz": "well\n"}
            if text := texts.get(self.path):
                self._answer(HTTPStatus.OK, text)
            else:
                self._answer(HTTPStatus.NOT_FOUND, "there are /metrics and /healthz\n")

        def _answer(self, status: HTTPStatus, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Every ten seconds the same line would say nothing."""

    return Handler


def _metrics(deadman: Deadman) -> str:
    metric = DEADMAN_AGE
    head = f"# HELP {metric} {metric.help}\n# TYPE {metric} {metric.kind}\n"
    return f"{head}{metric} {deadman.age:.1f}\n"


def main() -> int:
    """Serve until told to end; 2 if a setting is wrong."""
    file = os.environ.get("DEADMAN_URL_FILE", "")
    url = Path(file).read_text().strip() if file and Path(file).exists() else ""
    try:
        port, silence = int(os.environ.get("PORT", "9095")), float(os.environ.get("SILENCE", "120"))
    except ValueError as error:
        print(f"deadman: PORT and SILENCE are numbers: {error}", file=sys.stderr)
        return 2
    deadman = Deadman(silence, REMIND, ROOM, os.environ.get("CHAT", "127.0.0.1:6667"), url)
    server = ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), port), handler(deadman))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    deadman.watch(over)
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
