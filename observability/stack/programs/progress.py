"""One line of progress: rewritten on a terminal, else printed now and then."""

from __future__ import annotations

import sys
import time

SAY_EVERY = 15.0  # seconds between two lines if the output is not a terminal


class Progress:
    """A progress line; ``end`` leaves an empty line behind."""

    def __init__(self) -> None:
        self._said = time.monotonic()
        self._terminal = sys.stdout.isatty()

    def show(self, text: str) -> None:
        """Print the progress, if it is due."""
        now = time.monotonic()
        if self._terminal:
            print(f"\r\033[K  {text}", end="", flush=True)
        elif now - self._said >= SAY_EVERY:
            self._said = now
            print(f"  {text}", flush=True)

    def end(self) -> None:
        """Clear the line."""
        if self._terminal:
            print("\r\033[K", end="", flush=True)
