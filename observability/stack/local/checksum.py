"""A checksum of what a component runs from: ``up`` restarts it when that changes.

The checksum is in each component's environment, where the supervisor notices a change.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from observability.stack.settings import ROOT

VARIABLE = "MINITWIT_CHECKSUM"
SHARED = ("observability/catalog", "observability/conventions.py", "observability/instrument")
LIBRARIES = "requirements/stack.txt"
# A component's code. Programs other than Python are covered by their path and date.
CODE: dict[str, tuple[str, ...]] = {
    "migrate": ("app", *SHARED, LIBRARIES),
    "api": ("app", *SHARED, LIBRARIES),
    "web": ("app", *SHARED, LIBRARIES),
    "load": ("simulator", *SHARED, LIBRARIES),
    "preview": ("dashboards", LIBRARIES),
    "chatlog": ("observability/stack/irc", LIBRARIES),
    "deadman": (
        "observability/stack/deadman",
        "observability/stack/irc",
        "observability/stack/http_answer.py",
        LIBRARIES,
    ),
    "backup": ("deploy/backup",),
    "promtail": ("promtail/start.sh",),
}
# Configuration that is read at startup only; other components reload theirs.
CONFIGURATION: dict[str, tuple[str, ...]] = {
    "ngircd": ("ngircd.conf",),
    "relay": ("relay.yml",),
    "loki": ("loki.yml",),
    "promtail": ("promtail.yml",),
    "tempo": ("tempo.yml",),
    "grafana": ("grafana",),
}
SECRETS: dict[str, tuple[str, ...]] = {
    "migrate": ("owner_url", "database_roles"),
    "api": ("app_url", "probe_password"),
    "web": ("secret_key",),
    "ngircd": ("chat_password", "relay_key"),
    "relay": ("chat_password", "relay_key"),
    "chatlog": ("chat_password", "relay_key"),
    "deadman": ("chat_password", "relay_key", "deadman_secret", "deadman_url", "monitoring_basic"),
    "grafana": ("monitoring_password",),
    "loki": ("monitoring_basic",),
    "backup": ("backup_user", "backup_password"),
    "postgres-exporter": ("monitor_user", "monitor_password"),
}


def checksum(name: str, program: Path | None, config: Path, secrets: Path) -> str:
    """Return a checksum of code, program, configuration and secrets of the component ``name``."""
    files = [
        *_files(ROOT, CODE.get(name, ())),
        *_files(config, CONFIGURATION.get(name, ())),
        *_files(secrets, SECRETS.get(name, ())),
    ]
    # Keyed (HMAC), so that readers of the configuration cannot guess passwords with it.
    digest = hmac.new(_key(secrets), digestmod=hashlib.sha256)
    for path in files:
        digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    if program and program.exists():
        known = program.resolve()
        digest.update(f"{known} {known.stat().st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def _key(secrets: Path) -> bytes:
    file = secrets / "secret_key"
    return file.read_bytes() if file.exists() else b"-"


def _files(base: Path, names: Iterable[str]) -> list[Path]:
    found = []
    for name in names:
        path = base / name
        under = path.rglob("*") if path.is_dir() else [path]
        found += [p for p in under if p.is_file() and "__pycache__" not in p.parts]
    return sorted(found)
