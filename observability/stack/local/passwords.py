"""Passwords that are generated once, or given, and the configurations that contain them."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path

from observability.stack.config import receivers
from observability.stack.deadman.notify import URL
from observability.stack.local import logins, roles
from observability.stack.settings import ROOT, StackError, secret

GENERATED = (
    "probe_password", "grafana_password", "monitoring_password", "chat_password", "deadman_secret",
    "relay_key",
)  # fmt: skip


def write(folder: Path) -> None:
    """Write given passwords, and generate missing ones; ``StackError`` names a wrong one."""
    for name, given in (
        ("secret_key", os.environ.get("SECRET_KEY")),
        *((name, "") for name in GENERATED),
    ):
        path = folder / name
        known = path.read_text() if path.exists() else ""
        roles.secret(folder, name, given or known or secrets.token_urlsafe(32))
    for name in receivers.SECRETS:
        if value := secret(os.environ, name.upper()):
            roles.secret(folder, name, value)
        else:
            (folder / name).unlink(missing_ok=True)
    name = receivers.DEADMAN_URL
    url = secret(os.environ, name.upper())
    if url and not URL.fullmatch(url):
        raise StackError(f"{name.upper()} must be an http or https URL")
    roles.secret(folder, name, url)  # empty: nobody
    logins.write(folder)


def fill(config: Path, folder: Path) -> None:
    """Insert the passwords, by the scripts that do so in the containers."""
    _run("blackbox/start.sh", ROOT / "blackbox/blackbox.yml", folder, folder / "blackbox.yml")
    # Only receivers that are set.
    _run("alerts/start.sh", config / "alertmanager.yml", folder, config / "alertmanager-kept.yml")
    password = folder / "chat_password"
    _run("deploy/irc-server/relay.sh", config / "relay.yml", password, folder / "relay.yml")


def _run(script: str, *paths: Path) -> None:
    subprocess.run(["sh", str(ROOT / script), *map(str, paths)], check=True)
