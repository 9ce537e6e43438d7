"""The database's address as each program wants it: psycopg, libpq's tools, the exporter's driver.

An address may name several hosts, a socket's folder, or a service without a port.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from observability.stack.settings import StackError

PORT = "5432"
# What the exporter's driver knows of libpq's parameters, besides host, port and database.
DRIVER = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout")


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
        """What the scripts of the backup are told."""
        return {
            "database_address": f"{','.join(self.hosts)}:{','.join(self.ports)}",
            "database_name": self.database,
            "database_tls": self.parameters.get("sslmode", ""),
        }

    @property
    def exporter(self) -> str:
        """What the exporter takes: no scheme, no user, one host, and TLS decided."""
        host, port = self.hosts[0], self.ports[0]
        query = {k: v for k, v in self.parameters.items() if k in DRIVER}
        if query.get("sslmode", "prefer") in ("prefer", "allow"):  # its driver knows neither
            query["sslmode"] = "disable"
        if host.startswith("/"):
            return f"/{quote(self.database)}?{urlencode({'host': host, 'port': port, **query})}"
        name = f"[{host}]" if ":" in host else host
        return f"{name}:{port}/{quote(self.database)}?{urlencode(query)}"


def parse(url: str) -> Address:
    """The parts of an address; ``StackError`` if it is none."""
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError as error:
        raise StackError(f"DATABASE_URL is no address of a database: {error}") from None
    hosts = tuple((parts.pop("host", "") or "localhost").split(","))
    given = (parts.pop("port", "") or PORT).split(",")
    ports = tuple(port or PORT for port in (given * len(hosts) if len(given) == 1 else given))
    if len(ports) != len(hosts):
        raise StackError(f"DATABASE_URL names {len(hosts)} hosts, but {len(ports)} ports")
    user = parts.pop("user", "")
    return Address(hosts, ports, parts.pop("dbname", "") or user, user,
                   parts.pop("password", ""), parts)  # fmt: skip
