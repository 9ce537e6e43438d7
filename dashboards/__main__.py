"""The command ``python -m dashboards``: writes the dashboards, or checks them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from observability.generated import run

INSTALL = "grafanalib is not installed here. Install it: pip install -r requirements/dev.txt"


def files(_: argparse.Namespace) -> dict[str, str]:
    """Return every dashboard by file name; exit with a plain line without grafanalib."""
    try:
        from dashboards.registry import render  # so that --help works without grafanalib
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] == "grafanalib":
            sys.exit(INSTALL)
        raise
    return render()


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description="Generate Grafana's dashboards from the catalogue.",
        epilog="It needs grafanalib: pip install -r requirements/dev.txt",
    )
    return run("dashboards", files, Path("dashboards/generated"), parser)


if __name__ == "__main__":
    sys.exit(main())
