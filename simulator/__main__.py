"""The command ``python -m simulator``: plays a scenario and reports the results."""

from __future__ import annotations

import sys

from simulator.cli import main

if __name__ == "__main__":
    sys.exit(main())
