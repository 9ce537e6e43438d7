"""``python -m dashboards``: write the dashboards, or check that they are as generated."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dashboards.registry import render
from observability.generated import run


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description="Generate Grafana's dashboards from the catalogue."
    )
    return run("dashboards", lambda _: render(), Path("dashboards/generated"), parser)


if __name__ == "__main__":
    sys.exit(main())
