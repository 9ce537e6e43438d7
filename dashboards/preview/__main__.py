"""Serves the generated dashboards without Grafana, on loopback only."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import uvicorn

from dashboards.preview.application import BOARDS, create

HOST = "127.0.0.1"


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.preview", description=__doc__)
    parser.add_argument("--port", type=int, default=3001, help="default: %(default)s")
    parser.add_argument("--boards", type=Path, default=BOARDS, help="folder of the dashboards")
    for name, default in (("prometheus", "http://127.0.0.1:9090"), ("loki", ""), ("grafana", "")):
        variable = f"PREVIEW_{name.upper()}"
        text = f"address of {name.capitalize()}, or {variable} (default: {default or 'none runs'})"
        parser.add_argument(f"--{name}", default=os.environ.get(variable, default), help=text)
    given = parser.parse_args()
    sources = {name: getattr(given, name) for name in ("prometheus", "loki", "grafana")}
    print(f"Preview of the dashboards: http://{HOST}:{given.port}  (Ctrl-C ends)", flush=True)
    uvicorn.run(create(sources, given.boards), host=HOST, port=given.port, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
