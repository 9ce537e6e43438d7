"""Credentials with which components, and the commands here, authenticate to each other."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import bcrypt

from observability.stack.local.roles import secret
from observability.stack.targets import GUARDED, MONITOR, VOICES_CHANNEL

ROUNDS = 8  # the password has 256 random bits, so a slow hash gains nothing


def write(folder: Path) -> None:
    """Write what is derived from the passwords, in the format of each program."""
    password = (folder / "monitoring_password").read_text()
    secret(folder, "monitoring_basic", _basic(password))
    config = folder / "web_config"
    known = config.read_text().split('"')[1:2] if config.exists() else []
    if not known or not bcrypt.checkpw(password.encode(), known[0].encode()):
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)).decode()
        secret(folder, "web_config", f'basic_auth_users: {{{MONITOR}: "{hashed}"}}\n')
    (folder / "chat").mkdir(mode=0o700, exist_ok=True)
    chat = (folder / "chat_password").read_text()
    secret(folder / "chat", "server.conf", f"[Global]\nPassword = {chat}\n")
    key = (folder / "relay_key").read_text()
    voices = f"[Channel]\nName = {VOICES_CHANNEL}\nModes = +nstk {key}\n"
    secret(folder / "chat", "voices.conf", voices)


def headers(folder: Path, component: str) -> dict[str, str]:
    """Return the headers that a request to this component needs."""
    if component not in GUARDED:
        return {}
    return {"Authorization": f"Basic {(folder / 'monitoring_basic').read_text()}"}


def _basic(password: str) -> str:
    return b64encode(f"{MONITOR}:{password}".encode()).decode()
