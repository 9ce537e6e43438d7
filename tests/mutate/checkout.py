"""A copy of the committed code, for one mutant after the other."""

from __future__ import annotations

import ast
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import cache_from_source
from pathlib import Path

import yaml

from tests.mutate.mutant import Mutant
from tests.parts import ROOT

GENERATED = ("alerts/generated", "dashboards/generated", "deploy/generated")


class TimedOut(Exception):
    """A check took too long."""


class Checkout:
    """A copy of the repository at its last commit, in ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.generated = self._generated()

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """Apply a mutant; restore all files afterwards."""
        path = self.root / mutant.file
        try:
            mutant.apply(self.root)
            _forget(path)
            yield
        finally:
            for arguments in (("checkout", "-q", "--", "."), ("clean", "-qfd")):
                subprocess.run(["git", *arguments], cwd=self.root, check=True)
            _forget(path)

    def generate(self, generators: tuple[str, ...]) -> str:
        """Generate files anew; return the error of the generator that refused."""
        for name in generators:
            done = self.run([sys.executable, "-m", name], 120)
            if done.returncode:
                return f"{name}: {(done.stdout.strip().splitlines() or ['failed'])[-1]}"
        return ""

    def alerts(self) -> set[str]:
        """Return the names of the alerts whose rules differ; none if recordings do too."""
        before, after = (self._rules(one) for one in (ROOT, self.root))
        different = {name for name in before | after if before.get(name) != after.get(name)}
        return set() if any(":" in name for name in different) else different

    def differs(self, mutant: Mutant) -> bool:
        """Whether a generated file or the program itself is another than before."""
        if self._generated() != self.generated:
            return True
        path = self.root / mutant.file
        if path.suffix != ".py":
            return False
        return _program(path.read_text()) != _program((ROOT / mutant.file).read_text())

    def run(self, command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy. Raises TimedOut; nothing that it started stays."""
        process = subprocess.Popen(
            command,
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise TimedOut from error
        finally:
            if process.poll() is None:
                _end(process)
        return subprocess.CompletedProcess(command, process.returncode, output)

    def _rules(self, root: Path) -> dict[str, str]:
        paths = [root / "alerts/generated" / name for name in ("recording.yml", "alerts.yml")]
        groups = [g for path in paths for g in yaml.safe_load(path.read_text())["groups"]]
        return {
            rule.get("alert") or f"{rule['record']}{rule.get('labels')}": str(rule)
            for group in groups
            for rule in group["rules"]
        }

    def _generated(self) -> str:
        digest = hashlib.sha256()
        for folder in GENERATED:
            for path in sorted((self.root / folder).rglob("*")):
                if path.is_file():
                    digest.update(str(path.relative_to(self.root)).encode() + path.read_bytes())
        return digest.hexdigest()


@contextmanager
def copied() -> Iterator[Checkout]:
    """Make the copy; remove it at the end, also after Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="minitwit-mutate-") as folder:
        root = Path(folder) / "checkout"
        quiet = ("-c", "advice.detachedHead=false")
        subprocess.run(["git", *quiet, "clone", "-q", "--shared", ROOT, root], check=True)
        yield Checkout(root)


def _end(process: subprocess.Popen[str]) -> None:
    """First as Ctrl-C does, so that fixtures stop their servers; then for good."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=15)
            return


def _program(text: str) -> str:
    return ast.dump(ast.parse(text))


def _forget(path: Path) -> None:
    """Remove the bytecode: a change within a second that keeps the length would go unseen."""
    if path.suffix == ".py":
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
