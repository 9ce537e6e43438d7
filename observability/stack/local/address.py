"""The database's address as psycopg, libpq's tools and the exporter's driver need it.

An address may name several hosts, a socket's folder, or a service without a port. libpq's tools
get all of it in a service file. The exporter's driver (lib/pq for Go) takes one host and an
explicit ``sslmode``, so it gets what libpq chose here; parameters that it does not support are
refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from observability.stack.settings import StackError

PORT = "5432"
PATIENCE = 3  # seconds
# The libpq parameters that the exporter's driver supports, besides host, port and database.
DRIVER = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout")
# Ignoring these would connect to another server, or verify less than requested.
UNKNOWN_TO_DRIVER = (
    "hostaddr", "service", "passfile", "sslcrl", "sslcrldir", "sslpassword", "sslnegotiation",
    "sslcertmode", "requirepeer", "require_auth", "channel_binding",
)  # fmt: skip
UNDECIDED = ("prefer", "allow")
ROOT_CERTIFICATE = Path("~/.postgresql/root.crt")  # where libpq looks without sslrootcert
SERVICE = "minitwit"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What libpq chose for an address: one of its hosts, with TLS or without."""

    host: str
    port: str
    tls: bool


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of ``DATABASE_URL``; ``hosts`` are names, addresses or folders of sockets."""

    hosts: tuple[str, ...]
    ports: tuple[str, ...]
    database: str
    user: str
    password: str
    parameters: Mapping[str, str]

    @property
    def libpq(self) -> dict[str, str]:
        """Return the environment of the backup scripts."""
        return {
            "database_address": f"{','.join(self.hosts)}:{','.join(self.ports)}",
            "database_name": self.database,
        }

    @property
    def service(self) -> str:
        """Return a libpq service file: all parameters but user, password and database name."""
        own = {"host": ",".join(self.hosts), "port": ",".join(self.ports), **self.parameters}
        return "".join([f"[{SERVICE}]\n", *(f"{key}={value}\n" for key, value in own.items())])

    def exporter(self, chosen: Chosen | None = None) -> str:
        """Return the exporter's address: no scheme, no user, one host, explicit TLS."""
        host, port = (chosen.host, chosen.port) if chosen else (self.hosts[0], self.ports[0])
        query = {k: v for k, v in self.parameters.items() if k in DRIVER}
        if query.get("sslrootcert") == "system":  # the driver's default
            del query["sslrootcert"]
            query.setdefault("sslmode", "verify-full")
        elif (root := ROOT_CERTIFICATE.expanduser()).exists():
            query.setdefault("sslrootcert", str(root))
        if query.get("sslmode", "prefer") in UNDECIDED:
            query["sslmode"] = "require" if chosen and chosen.tls else "disable"
        if query["sslmode"] == "disable":
            query.pop("sslrootcert", None)
        if host.startswith("/"):
            return f"/{quote(self.database)}?{urlencode({'host': host, 'port': port, **query})}"
        name = f"[{host}]" if ":" in host else host
        return f"{name}:{port}/{quote(self.database)}?{urlencode(query)}"


def parse(url: str) -> Address:
    """Parse an address; ``StackError`` if it is malformed."""
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError as error:
        raise StackError(f"DATABASE_URL is malformed: {error}") from None
    if unknown := sorted(set(UNKNOWN_TO_DRIVER) & parts.keys()):
        raise StackError(
            f"DATABASE_URL has {', '.join(unknown)}, which the exporter does not support"
        )
    hosts = tuple((parts.pop("host", "") or "localhost").split(","))
    given = (parts.pop("port", "") or PORT).split(",")
    ports = tuple(port or PORT for port in (given * len(hosts) if len(given) == 1 else given))
    if len(ports) != len(hosts):
        raise StackError(f"DATABASE_URL names {len(hosts)} hosts, but {len(ports)} ports")
    user = parts.pop("user", "")
    return Address(hosts, ports, parts.pop("dbname", "") or user, user,
                   parts.pop("password", ""), parts)  # fmt: skip


@cache
def choose(url: str) -> Chosen | None:
    """Return what libpq chooses now; None if there is no choice, or no server answers.

    Queried once in each process: while the server is down every further call would wait in vain.
    """
    address = parse(url)
    if len(address.hosts) == 1 and address.parameters.get("sslmode", "prefer") not in UNDECIDED:
        return None
    try:
        with psycopg.connect(url, connect_timeout=PATIENCE) as connection:
            info = connection.info
            return Chosen(info.host, str(info.port), connection.pgconn.ssl_in_use)
    except psycopg.Error:
        return None
