"""Builds the pinned Go modules into ``bin/`` of the tool cache, with progress."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from observability.stack.programs import go_toolchain
from observability.stack.programs.go_modules import MODULES, Module
from observability.stack.programs.packages import locked
from observability.stack.programs.progress import Progress
from observability.stack.settings import StackError


def missing(cache: Path, only: str = "") -> list[Module]:
    """Return the modules that are not built yet, or from other sources."""
    wanted = [module for module in MODULES if only in ("", module.name)]
    return [module for module in wanted if not _built(module, cache)]


def build(cache: Path, only: str = "") -> list[str]:
    """Build missing modules (or one alone), one process at a time; return their programs.

    ``StackError`` tells in one line what could not be built, and why.
    """
    cache.mkdir(parents=True, exist_ok=True)
    if missing(cache, only):
        with locked(cache / "build.lock"):
            for module in missing(cache, only):  # another process may have built it meanwhile
                _build(module, cache)
    return [name for module in MODULES if only in ("", module.name) for name in module.programs]


def _built(module: Module, cache: Path) -> bool:
    stamp = _stamp(module, cache)
    there = all((cache / "bin" / name).exists() for name in module.programs)
    return there and stamp.exists() and stamp.read_text() == module.stamp


def _stamp(module: Module, cache: Path) -> Path:
    return cache / "bin" / f".{module.name}.stamp"


def _build(module: Module, cache: Path) -> None:
    program = go_toolchain.program(cache)
    names = " and ".join(module.programs)
    print(f"Building {names} {module.version} from Go modules: minutes, once ...", flush=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(dir=cache, prefix=".build-") as folder:
        packages = list(module.programs.values())
        command = [
            str(program), "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly",
            "-ldflags=-s -w", f"-tags={module.tags}", "-o", f"{folder}/", *packages,
        ]  # fmt: skip
        _run(command, module, names)
        target = cache / "bin"
        target.mkdir(exist_ok=True)
        _stamp(module, cache).unlink(missing_ok=True)
        for name, package in module.programs.items():
            (Path(folder) / package.rpartition("/")[2]).replace(target / name)
        _stamp(module, cache).write_text(module.stamp)
    print(f"Built {names} in {time.monotonic() - begin:.0f} s.", flush=True)


def _run(command: list[str], module: Module, names: str) -> None:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    process = subprocess.Popen(
        ["nice", *command],  # running components come first
        cwd=module.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    progress, begin = Progress(), time.monotonic()
    last = ""
    try:
        for count, line in enumerate(process.stderr or (), 1):
            last = line.strip() or last
            progress.show(f"{names}: {count} steps, {time.monotonic() - begin:.0f} s")
        status = process.wait()
    finally:
        process.kill()
        progress.end()
    if status:
        raise StackError(f"{names} could not be built: {last[:300]}")
