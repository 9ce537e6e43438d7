"""Records what a real Prometheus answers to a report, for the tests of the page.

python -m tests.alerts.incident.record PROMETHEUS RUN_DIR SINCE UNTIL
writes recorded/: the answers, the lines of the chat and of both services within that time.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alerts.incident import log_lines, prometheus_api
from alerts.incident.report import gather
from alerts.incident.sources import Sources
from alerts.incident.time_window import Window, stamp, window

HERE = Path(__file__).parent / "recorded"
NAME = "http://prometheus"


def main(live: str, run_dir: Path, when: Window) -> None:
    """Write the folder."""
    seen: dict[str, Any] = {}
    get = prometheus_api.getter()

    def recording(address: str) -> Any:
        answer = get(address.replace(NAME, live))
        seen[address.removeprefix(NAME)] = answer["data"]["result"]
        return answer

    logs, chat = run_dir / "logs/json", run_dir / "logs/chat.log"
    with tempfile.TemporaryDirectory() as folder:
        sources = Sources(NAME, get=recording, chat=chat, logs=logs)
        gather(sources, when, Path(folder) / "picture.png", print)
    HERE.mkdir(exist_ok=True)
    text = json.dumps({"window": [when.since, when.until], "answers": seen}, sort_keys=True)
    (HERE / "answers.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    inside = [
        line
        for line in chat.read_text().splitlines()
        if stamp(when.since) <= line.partition(" ")[0] <= stamp(when.until)
    ]
    (HERE / "chat.log").write_text("\n".join(inside) + "\n")
    found = log_lines.gather(when, "", get, logs).lines
    (HERE / "services.log").write_text("".join(json.dumps(line) + "\n" for line in found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), window(sys.argv[3], sys.argv[4], datetime.now(UTC)))
