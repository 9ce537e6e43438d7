"""Which environment variables of the shell the components inherit.

Those that decide about their data or their ports are left out: a ``PGSSLMODE`` or ``PYTHONPATH``
that was exported for other work is not meant for them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

# Read by libpq, and so by psycopg in this process as well.
LIBPQ = "PG"
FOREIGN = (
    LIBPQ, "DATABASE_URL", "DATA_SOURCE_", "GF_", "PYTHON", "SUPERVISOR_", "UVICORN_",
    "MAKE", "LC_", "LANG", "LD_PRELOAD",
)  # fmt: skip
# Each component gets its own.
OWN = {"HOST", "PORT", "API_URL", "LOG_FILE", "LOG_STDOUT", "WEB_CONCURRENCY", "MFLAGS"}
# Settings of the services, which users may set. They are passed by name, so that a second start
# with other values counts as a change.
PASSED = (
    "LOG_LEVEL", "LOG_FILE_", "LOKI_", "OTEL_", "TRACE_", "POOL_", "STATEMENT_", "DRAIN_",
    "HASH_", "PAGE_", "BODY_", "WRITE_", "ANSWER_", "LIST_", "REGISTER_",
    "SIMULATOR_", "SECURE_", "TRUSTED_",
)  # fmt: skip
# The encoding of text, whatever the shell's locale is.
TEXT = {"LC_ALL": "C.UTF-8"}


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that components get besides their own."""
    foreign = (*FOREIGN, *PASSED)
    kept = {k: v for k, v in environ.items() if not k.startswith(foreign) and k not in OWN}
    return kept | TEXT


def passed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that are passed on to the services alone."""
    return {k: v for k, v in environ.items() if k.startswith(PASSED) and v}


def forget_libpq(environ: MutableMapping[str, str] = os.environ) -> None:
    """Remove libpq's variables, so that only the address decides where the database is."""
    for name in [name for name in environ if name.startswith(LIBPQ)]:
        del environ[name]
