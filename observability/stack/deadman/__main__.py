"""The dead man's switch: reports by another way that alerts no longer arrive.

``python -m observability.stack.deadman``. Alertmanager posts the Watchdog here again and again.
When its value has not advanced for SILENCE seconds, or the chat or the relay is down, this process
reports it in the on-call channel itself, under its own nick, without Alertmanager and the relay,
and posts to the URL in DEADMAN_URL_FILE, if that is set. It repeats the message every hour, and
reports the recovery once. Meanwhile it keeps Alertmanager (ALERTMANAGER, host:port) from sending
false all-clears. CHAT is the chat's host:port, RELAY the relay's nick; empty ones are not watched.
CHAT_PASSWORD_FILE and ALERTMANAGER_LOGIN_FILE hold its credentials, DEADMAN_SECRET_FILE the secret
that Alertmanager sends with the Watchdog. HEARTBEAT_FILE outlives a process that was killed.
"""

from __future__ import annotations

import hmac
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from observability.conventions import DEADMAN_SECONDS, RUNBOOK_BASE
from observability.exporters import DEADMAN_AGE
from observability.stack.deadman.heartbeat import Heartbeat
from observability.stack.deadman.monitoring_blind import Blindness
from observability.stack.deadman.notify import URL, Channel, Outbox, post
from observability.stack.deadman.watch import Presence, Watch
from observability.stack.irc.client import file_setting
from observability.stack.targets import RELAY_NICK

LARGEST = 1_000_000  # bytes of a request body
HOLD = 4  # times the silence: how long MonitoringBlind remains without this process


def handler(heartbeat: Heartbeat, secret: str) -> type[BaseHTTPRequestHandler]:
    """Return the HTTP handler for Alertmanager's posts (with ``secret``), metrics and health."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            given = (self.headers.get("Authorization") or "").encode()
            if secret and not hmac.compare_digest(given, f"Bearer {secret}".encode()):
                self.close_connection = True
                self._answer(HTTPStatus.UNAUTHORIZED, "only Alertmanager may post here\n")
                return
            length = self.headers.get("Content-Length") or "0"
            if not length.isdecimal() or int(length) > LARGEST:
                self.close_connection = True
                self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large\n")
                return
            try:
                heartbeat.heard(self.rfile.read(int(length)))
            except (ValueError, KeyError, TypeError):
                self._answer(HTTPStatus.BAD_REQUEST, "this is not what Alertmanager posts\n")
            else:
                self._answer(HTTPStatus.OK, "received\n")

        def do_GET(self) -> None:
            texts = {"/metrics": _metrics(heartbeat), "/healthz": "well\n"}
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
            """Log nothing: a line every five seconds would be noise."""

    return Handler


def _metrics(heartbeat: Heartbeat) -> str:
    metric = DEADMAN_AGE
    head = f"# HELP {metric} {metric.help}\n# TYPE {metric} {metric.kind}\n"
    return f"{head}{metric} {heartbeat.age:.1f}\n"


def watch(heartbeat: Heartbeat, silence: float, url: str) -> Watch:
    """Return the watch that the environment describes; it posts to ``url``, unless that is ''."""
    login = file_setting("ALERTMANAGER_LOGIN_FILE")
    chat = os.environ.get("CHAT", "127.0.0.1:6667")
    relay = os.environ.get("RELAY", RELAY_NICK)
    alertmanager = os.environ.get("ALERTMANAGER", "")
    key = file_setting("RELAY_KEY_FILE")
    channel = Channel(chat, file_setting("CHAT_PASSWORD_FILE"), key)
    ways: list[Callable[[str], None]] = [channel.say] if chat else []
    ways += [partial(post, url)] if url else []
    presence = Presence(channel, relay, silence / 6) if chat else None
    runbooks = os.environ.get("RUNBOOK_BASE") or RUNBOOK_BASE
    hold = HOLD * silence
    blindness = Blindness(alertmanager, login, hold, runbooks) if alertmanager else None
    return Watch(heartbeat, silence, Outbox(ways), presence, blindness)


def deadman_url() -> str:
    """Return DEADMAN_URL, '' if unset; ValueError or OSError if it is none."""
    url = file_setting("DEADMAN_URL_FILE")
    if url and not URL.fullmatch(url):
        raise ValueError
    return url


def main() -> int:
    """Serve until stopped; 2 if a setting is wrong."""
    try:
        port = int(os.environ.get("PORT", "9095"))
        silence = float(os.environ.get("SILENCE", DEADMAN_SECONDS))
    except ValueError as error:
        print(f"deadman: PORT and SILENCE are numbers: {error}", file=sys.stderr)
        return 2
    try:
        url = deadman_url()
    except (OSError, ValueError):  # the text is not shown: who knows the address may post there
        print("deadman: DEADMAN_URL_FILE must hold an http or https URL", file=sys.stderr)
        return 2
    file = os.environ.get("HEARTBEAT_FILE")
    heartbeat = Heartbeat(Path(file) if file else None)
    listen = (os.environ.get("HOST", "127.0.0.1"), port)
    server = ThreadingHTTPServer(listen, handler(heartbeat, file_setting("DEADMAN_SECRET_FILE")))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    over = threading.Event()

    def stop(*_: object) -> None:
        over.set()
        heartbeat.forget()  # at once: a step that awaits an answer may be killed before it ends

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    watch(heartbeat, silence, url).run(over)
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
