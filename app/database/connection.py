"""What every connection to PostgreSQL needs so that data mean the same from every shell."""

from __future__ import annotations

import os
import re
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

# Tables are in the schema of the grants; dates are read and written in one way.
_FIXED = "-c search_path=public -c TimeZone=UTC -c DateStyle=ISO"
# libpq reads these although the address and the options say otherwise.
_STRONGER = ("PGTZ", "PGDATESTYLE", "PGGEQO", "PGHOSTADDR")
# What an operator may set for the commands: limits of time and memory.
_LIMIT = re.compile(r"(?<!\S)(?:-c\s*|--)((?:\w+[_-]timeout|\w*work[_-]mem)=\S+)", re.IGNORECASE)
CONNECT_SECONDS = 10


def needs(url: str, options: str = "") -> dict[str, Any]:
    """Return the parameters of a connection: encoding, schema, dates, and server ``options``.

    They replace what PGCLIENTENCODING and PGOPTIONS say; options of the address stay, below these.
    Removes from the process's environment what no parameter can replace.
    """
    for name in _STRONGER:
        os.environ.pop(name, None)
    own = conninfo_to_dict(url).get("options") or ""
    return {"client_encoding": "UTF8", "options": f"{own} {options} {_FIXED}".strip()}


def connect(url: str) -> psycopg.Connection:
    """Open a connection of a command, in autocommit; limits in PGOPTIONS apply."""
    limits = _LIMIT.findall(os.environ.get("PGOPTIONS", ""))
    options = " ".join(f"-c {limit}" for limit in limits)
    return psycopg.connect(
        url, autocommit=True, connect_timeout=CONNECT_SECONDS, **needs(url, options)
    )
