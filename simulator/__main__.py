"""``python -m simulator``: plays a scenario against the API and reports what the client saw."""

from __future__ import annotations

import sys

from simulator.cli import main

if __name__ == "__main__":
    sys.exit(main())
