"""Actions as HTTP requests: exactly the bytes that the course's simulator sends.

With a longer timeout than the course's simulator has, requests also say how long it is.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, urlsplit

from observability.catalog import SIMULATOR_TIMEOUT, TIMEOUT_HEADER
from simulator.scenario import Action


@dataclass(frozen=True, slots=True)
class Address:
    """The URL of the API. ``prefix`` is the path before the routes, usually empty."""

    scheme: str
    host: str
    port: int
    prefix: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Parse a URL; ValueError unless it is http(s)://host[:port][/prefix]."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError(f"not an address such as http://127.0.0.1:5001: {url!r}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname, port, quote(parts.path.rstrip("/"), safe="/%"))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"


class Wire:
    """Turns actions into HTTP/1.1 requests; user names are percent-encoded, slashes too."""

    def __init__(
        self,
        address: Address,
        user: str,
        password: str,
        keep_alive: bool,
        timeout: float = SIMULATOR_TIMEOUT,
    ) -> None:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        netloc = str(address).removeprefix(f"{address.scheme}://").removesuffix(address.prefix)
        self._prefix = address.prefix
        self._headers = (
            f"Host: {netloc}\r\n"
            f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n"
            "Content-Type: application/json\r\n"
            f"Authorization: Basic {token}\r\n"
        )
        if timeout > SIMULATOR_TIMEOUT:
            self._headers += f"{TIMEOUT_HEADER}: {timeout * 1000:.0f}\r\n"

    def action(self, action: Action) -> bytes:
        """Return the POST of an action, with its id as ``latest``."""
        if action.command == "register":
            path = "/register"
            email, password = action.rest[0], action.rest[-1]
            data = {"username": action.username, "email": email, "pwd": password}
        elif action.command == "tweet":
            path = _path("/msgs/", action.username)
            data = {"content": action.rest[0]}
        else:
            path = _path("/fllws/", action.username)
            data = {action.command: action.rest[0]}
        body = json.dumps(data)
        return (
            f"POST {self._prefix}{path}?latest={action.id} HTTP/1.1\r\n"
            f"{self._headers}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode("ascii")

    def get(self, route: str, name: str = "", query: str = "") -> bytes:
        """Return the GET of a route such as ``/msgs/`` for a user."""
        path = f"{self._prefix}{_path(route, name)}{query}"
        return f"GET {path} HTTP/1.1\r\n{self._headers}\r\n".encode("ascii")


@cache
def _path(route: str, name: str) -> str:
    return route + quote(name, safe="")
