"""The secrets of the database roles: a file each, given to one component."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import quote

from observability.stack.local import address

PURPOSES = ("app", "import", "monitor", "backup")


def write(folder: Path, owner: str, several: bool) -> None:
    """Write user, password and address of the ``owner`` (an address) and of each purpose.

    Unless there are ``several`` roles, all are the owner's. Existing files stay.
    """
    known = address.parse(owner)
    secret(folder, "pg_service.conf", known.service)
    lines = []
    for purpose in ("owner", *PURPOSES):
        user, password, url = known.user, known.password, owner
        if several and purpose != "owner":
            user, password = f"minitwit_{purpose}", _kept(folder / f"{purpose}_password", known)
            url = _for(owner, user, password)
            lines.append(f"{purpose} {user} {password}\n")
        for name, text in (("user", user), ("password", password), ("url", url)):
            secret(folder, f"{purpose}_{name}", text)
    if several:
        secret(folder, "database_roles", "".join(lines))
    else:
        (folder / "database_roles").unlink(missing_ok=True)


def secret(folder: Path, name: str, text: str) -> None:
    """Write a file that only its owner may read; on a full disk it stays."""
    path, beside = folder / name, folder / f".{name}.new"
    if path.exists() and path.read_text() == text:
        return
    beside.unlink(missing_ok=True)
    try:
        beside.touch(mode=0o600)
        beside.write_text(text)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _kept(file: Path, owner: address.Address) -> str:
    """Return the password in the file, unless that is the owner's; else a new one."""
    known = file.read_text() if file.exists() else ""
    return known if known and known != owner.password else secrets.token_hex(24)


def _for(url: str, user: str, password: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{user}:{quote(password, safe='')}@{rest.rpartition('@')[2]}"
