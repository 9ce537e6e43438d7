"""Readiness of a component, checked at its own address."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import psycopg

from observability.stack.components import Component
from observability.stack.local import databases, logins, ports
from observability.stack.local.layout import Layout
from observability.stack.local.supervise import Process

TIMEOUT_SECONDS = 2.0  # for a response


def ready(layout: Layout, component: Component, process: Process | None) -> bool:
    """Return whether the component answers; for one that runs once, whether it succeeded."""
    if process is None:
        return False
    if component.once:
        return process.state == "EXITED" and process.exit_status == 0
    # A component that responds is ready, even in supervisor's first second; but in that second
    # another process may have its port.
    if process.state != "RUNNING" and not (
        component.ready
        and process.state == "STARTING"
        and ports.listens(process.pid, layout.port(component.name))
    ):
        return False
    try:
        if component.ready == "tcp":
            socket.create_connection(
                _host_and_port(layout.address(component.name)), TIMEOUT_SECONDS
            ).close()
        elif component.ready == "database":
            databases.exists(layout)  # PostgreSQL responds; what it found is for checks
        elif component.ready:
            login = logins.headers(layout.settings.secrets, component.name)
            return get(layout.address(component.name), component.ready, login)[0] == 200
    except (OSError, http.client.HTTPException, psycopg.Error):
        return False
    return True


def get(
    address: str, path: str, headers: Mapping[str, str] | None = None, **query: str
) -> tuple[int, bytes]:
    """Return status and body of a GET, without a proxy; OSError or HTTPException on failure."""
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
    try:
        target = f"{path}?{urlencode(query)}" if query else path
        connection.request("GET", target, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def get_json(address: str, path: str, **query: str) -> Any:
    """Return the JSON body of a GET; ValueError if it is malformed, else as ``get``."""
    return json.loads(get(address, path, None, **query)[1])


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
