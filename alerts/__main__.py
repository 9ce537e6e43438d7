"""The command ``python -m alerts``: writes the rule files, or checks them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alerts import deploy_queries
from alerts.rule_files import render
from observability.generated import run
from observability.time_scale import TimeScale


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Generate Prometheus's rules from the catalogue.")
    parser.add_argument(
        "--time-scale",
        type=float,
        default=1,
        metavar="N",
        help="shorten windows, waits and intervals N times, for drills; default: %(default)s",
    )

    def files(options: argparse.Namespace) -> dict[str, str]:
        return render(TimeScale(options.time_scale)) | {
            deploy_queries.FILE: deploy_queries.render()
        }

    return run("alerts", files, Path("alerts/generated"), parser)


if __name__ == "__main__":
    sys.exit(main())
