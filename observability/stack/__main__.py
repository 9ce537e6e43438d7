"""The platform on one machine, without Docker: ``python -m observability.stack``."""

from __future__ import annotations

import signal
import sys


def run() -> int:
    """Run the command; while its modules load, Ctrl-C ends this without a traceback."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # it is not ignored, as in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from observability.stack.commands import main

    signal.signal(signal.SIGINT, handler)
    return main()


if __name__ == "__main__":
    sys.exit(run())
