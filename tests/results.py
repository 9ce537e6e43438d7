"""Result files: what was measured, of which commit, on which machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from tests.parts import ROOT

RESULTS = ROOT / "results"
_CODE = ("--", ".", ":!results")


def commit() -> str:
    """What is measured; ``+changes`` if that is not all that it is."""
    return _git("rev-parse", "HEAD") + ("+changes" if _git("status", "--porcelain", *_CODE) else "")


def machine() -> dict[str, Any]:
    """On what."""
    model = (
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpus": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "model": next(model, platform.machine()),
        "python": platform.python_version(),
    }


def stamped(figures: dict[str, Any]) -> dict[str, Any]:
    """``figures`` and where they are from."""
    return {"commit": commit(), "machine": machine(), **figures}


def write(name: str, figures: dict[str, Any]) -> None:
    """Keep them as ``results/NAME.json``, and say so."""
    path = RESULTS / f"{name}.json"
    path.write_text(as_text(figures))
    print(f"written to {path.relative_to(ROOT)}")


def as_text(figures: dict[str, Any]) -> str:
    """Return the text of a result file."""
    return json.dumps(figures, indent=2) + "\n"


def read(name: str) -> dict[str, Any]:
    """What was kept; nothing if nothing was."""
    path = RESULTS / f"{name}.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
