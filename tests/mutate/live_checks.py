"""``python -m tests.mutate.live_checks CHECK...``: a platform comes up and is checked.

Exit status 1, and a last line that begins with FAILED, at the first check that fails.
"""

from __future__ import annotations

import sys
import time

from tests.drills import run as engine
from tests.drills.__main__ import running_site
from tests.drills.run import DrillFailed, run
from tests.drills.site import Site
from tests.drills.table import DRILLS, SCALE
from tests.mutate.live_table import PANELS
from tests.parts import end_as_by_hand
from tests.stack.panels import WINDOW, everything, questions, unanswered
from tests.stack.test_panels import shown

BY_NAME = {drill.name: drill for drill in DRILLS}
PATIENCE = 100.0  # seconds until every panel shows data, at the quickened pace


def main() -> int:
    """0 if every check of the command line passes."""
    if unknown := [name for name in sys.argv[1:] if name not in (PANELS, *BY_NAME)]:
        print(f"no check is called {', '.join(unknown)}", file=sys.stderr)
        return 2
    end_as_by_hand()
    small = any(BY_NAME[name].small for name in sys.argv[1:] if name != PANELS)
    what = "the platform"
    try:
        with running_site(SCALE, small) as site:
            status, rows = site.status(wait=60)
            if status:
                raise DrillFailed(f"status {status}: {rows}")
            for what in sys.argv[1:]:
                if what == PANELS:
                    panels(site)
                else:
                    run(BY_NAME[what], site)
    except AssertionError as error:
        print(f"FAILED {what}: {' '.join(str(error).split())[:300]}")
        return 1
    return 0


def panels(site: Site) -> None:
    """Wait until every panel shows data; DrillFailed names those that do not.

    Panels that are empty when all is well are not asked.
    """
    engine.settle(site)
    while time.time() <= site.healthy_since + 3 * WINDOW.step:  # lines are looked for after that
        time.sleep(engine.POLL)
    site.send("GET", "/nothing/here", "")
    boards = [(board, everything(board)) for board in shown(site)]
    open_ = [(q, choice) for board, choice in boards for q in questions(board) if not q.empty]
    deadline = time.monotonic() + PATIENCE
    while open_ := [(q, choice) for q, choice in open_ if unanswered(site, [q], choice)]:
        if time.monotonic() > deadline:
            raise DrillFailed(f"no data for {', '.join(sorted({q.panel for q, _ in open_}))}")
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
