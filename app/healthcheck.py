"""The image's health check: exit status 0 while this replica should be kept.

Until the replica has been ready once, readiness counts, because it gets no requests before. After
that liveness counts: a database outage must not kill every replica.
"""

from __future__ import annotations

import http.client
import os
import sys
import tempfile
from pathlib import Path

WAS_READY = Path(tempfile.gettempdir()) / "minitwit-was-ready"
PATIENCE = 2.0  # seconds


def main() -> int:
    """Query the service in this container."""
    path = "/healthz" if WAS_READY.exists() else "/readyz"
    try:
        port = int(os.environ.get("PORT") or 5001)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"{path}: {error}")
        return 1
    if status == 200 and path == "/readyz":
        try:
            WAS_READY.touch()
        except OSError:  # a read-only root without /tmp: readiness counts for ever
            print("cannot record that it was ready")
    print(f"{path}: {status}")
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
