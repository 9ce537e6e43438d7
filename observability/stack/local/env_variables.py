"""Which environment variables of the shell the components inherit.

Only those that are named here: a ``PGSSLMODE``, ``PYTHONPATH`` or ``PROMETHEUS_MULTIPROC_DIR`` that
was exported for other work is not meant for them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

# Read by libpq, and so by psycopg in this process as well.
LIBPQ = "PG"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
INHERITED = {
    # the user, the programs and their libraries
    "HOME", "USER", "LOGNAME", "SHELL", "PATH", "LD_LIBRARY_PATH",
    "TMPDIR", "TZ", "TERM", "NO_COLOR",
    # the way to receivers of alerts, and their authorities
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    *PROXIES, *map(str.lower, PROXIES),
    "BACKUP_KEEP",
}  # fmt: skip
# Settings of the services, which users may set. They are passed by name, so that a second start
# with other values counts as a change.
PASSED = (
    "LOG_LEVEL", "LOG_FILE_", "LOKI_", "OTEL_", "TRACE_", "POOL_", "STATEMENT_", "DRAIN_",
    "HASH_", "PAGE_", "BODY_", "WRITE_", "ANSWER_", "LIST_", "REGISTER_",
    "SIMULATOR_", "SECURE_", "TRUSTED_",
)  # fmt: skip
# The encoding of text, whatever the shell's locale is.
TEXT = {"LC_ALL": "C.UTF-8"}
LOOPBACK = "127.0.0.1,localhost,::1"


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that components get besides their own."""
    return {name: value for name, value in environ.items() if name in INHERITED} | TEXT


def passed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that are passed on to the services alone."""
    return {k: v for k, v in environ.items() if k.startswith(PASSED) and v}


def forget_libpq(environ: MutableMapping[str, str] = os.environ) -> None:
    """Remove libpq's variables, so that only the address decides where the database is."""
    for name in [name for name in environ if name.startswith(LIBPQ)]:
        del environ[name]


def spare_loopback(environ: MutableMapping[str, str] = os.environ) -> None:
    """Exempt this machine from the shell's proxy: components reach each other directly."""
    given = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if given != "*":
        environ["no_proxy"] = environ["NO_PROXY"] = ",".join(filter(None, (given, LOOPBACK)))
