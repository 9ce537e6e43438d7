"""``make incident``: write the draft of a post-mortem from what the monitoring recorded.

One page of Markdown and a picture: alerts and notifications, deploys and restarts, error budget
spent, failing routes, statements and calls, log lines, traces, and the component in which it
began (the first mover). People fill in the rest.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from alerts.incident import sources
from alerts.incident.render import render
from alerts.incident.report import gather
from alerts.incident.time_window import FORMS, TimeError, Window, stamp, window
from observability.stack.settings import StackError


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if the page was written, 1 if not, 2 for wrong times."""
    options = _parser().parse_args(arguments)
    try:
        when = window(options.since, options.until, datetime.now(UTC))
        found = sources.find(options)
        file = options.out or found.out / f"{_name(when)}.md"
        report = gather(found, when, file.with_suffix(".png"), _say)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(render(report), encoding="utf-8")
    except TimeError as error:
        print(f"incident: {error}", file=sys.stderr)
        return 2
    except (StackError, OSError) as error:
        print(f"incident: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted: nothing was written.", file=sys.stderr)
        return 130
    print(f"First seen: {report.verdict.component or 'not sure'} ({report.verdict.reason})")
    print(file)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m alerts.incident", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("since", metavar="SINCE", help=FORMS)
    parser.add_argument("until", metavar="UNTIL", nargs="?", default="now", help="default: now")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="default: RUN_DIR/incidents/TIME.md"
    )
    sources.declare(parser)
    return parser


def _name(when: Window) -> str:
    return stamp(when.since).replace(":", "")


def _say(part: str) -> None:
    print(f"  {part} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
