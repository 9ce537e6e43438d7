"""Sets aside state that a component can no longer read, so that it can start.

The monitoring is worth more than its history. PostgreSQL's data is never touched.
"""

from __future__ import annotations

import errno
import os
import re
import time
from pathlib import Path

from observability.stack.settings import Settings

# folder under ``data`` → the program's last message when it cannot read it
UNREADABLE = {
    "alertmanager": ("alertmanager", r"silences|nflog|notification log|snapshot|unexpected EOF"),
    "loki": ("loki", r"wal|segment|checkpoint|tsdb|corrupt|checksum|unmarshal|delete.?request"),
    "prometheus": ("prometheus", r"opening storage failed|corrupt|checksum|unexpected end|segment"),
    "tempo": ("tempo", r"wal|meta\.json|corrupt|checksum|unmarshal"),
}  # fmt: skip
# Causes that an empty folder does not fix: a refusal of the system, a setting, another process.
REFUSED = (
    "EPERM", "EACCES", "ENOSPC", "EDQUOT", "EROFS", "EADDRINUSE", "EADDRNOTAVAIL", "EAGAIN",
    "EMFILE", "ENFILE", "ENOMEM", "EIO", "EREMOTEIO", "ESTALE", "EBUSY", "EFBIG", "ENODEV", "ENXIO",
    "ENOLCK", "ELOOP", "ENAMETOOLONG", "ETIMEDOUT", "ENOTCONN", "EUCLEAN", "ENOSYS", "EOPNOTSUPP",
    "EINTR",
)  # fmt: skip
# Not every system has all of them.
NUMBERS = [getattr(errno, name) for name in REFUSED if hasattr(errno, name)]
OTHER = re.compile(
    "|".join(map(re.escape, map(os.strerror, NUMBERS)))
    + r"|stale nfs|disk quota|yaml|parsing config|\block\b|timeout|deadline exceeded|out of memory",
    re.IGNORECASE,
)
LINES = 20


def set_aside(settings: Settings, name: str) -> Path | None:
    """Move the unreadable state of a failing component; return its new path or None."""
    folder, pattern = UNREADABLE.get(name, ("", ""))
    state = settings.data / folder
    log = settings.logs / f"{name}.log"
    if not folder or not state.exists() or not log.exists():
        return None
    last = "\n".join(log.read_text(errors="replace").splitlines()[-LINES:])
    complaints = [
        line for line in last.splitlines()
        if re.search(r"level=(error|fatal)|panic|^(error|fatal)", line, re.IGNORECASE)
    ]  # fmt: skip
    if not complaints or OTHER.search(last):
        return None
    if not re.search(pattern, "\n".join(complaints), re.IGNORECASE):
        return None
    aside = state.with_name(f"{folder}.unreadable-{time.strftime('%Y%m%d-%H%M%S')}")
    state.rename(aside)
    return aside
