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

from alerts.rule_files import render
from tests.alerts.excerpt import needed, read
from tests.mutate.mutant import Mutant
from tests.parts import ROOT

COPIES = 2  # side by side: half of what a test does is to wait
GENERATED = ("alerts/generated", "dashboards/generated", "deploy/generated")
FILES = tuple(render())  # of rules


class TimedOut(Exception):
    """A check took too long."""


class Checkout:
    """One of several copies of the repository at its last commit, in ``root``."""

    def __init__(self, root: Path, number: int = 0) -> None:
        self.root = root
        self.generated = self._generated()
        # What pytest-xdist says to its workers: each takes ports of its own.
        own = {"PYTEST_XDIST_WORKER": f"gw{number}", "PYTEST_XDIST_WORKER_COUNT": str(COPIES)}
        self.environment = {**os.environ, **own}

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
        """Return the names of the alerts whose rule differs, or a rule that they read."""
        before, after = (_rules(one) for one in (ROOT, self.root))
        return {name for name in before | after if before.get(name) != after.get(name)}

    def differs(self, mutant: Mutant) -> bool:
        """Whether a generated file or the program itself is another than before."""
        if self._generated() != self.generated:
            return True
        path = self.root / mutant.file
        if path.suffix != ".py":
            return False
        return _program(path.read_text()) != _program((ROOT / mutant.file).read_text())

    def run(
        self, command: list[str], seconds: float, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy. Raises TimedOut; nothing that it started stays."""
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment | environment,
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

    def _generated(self) -> str:
        digest = hashlib.sha256()
        for folder in GENERATED:
            for path in sorted((self.root / folder).rglob("*")):
                if path.is_file():
                    digest.update(str(path.relative_to(self.root)).encode() + path.read_bytes())
        return digest.hexdigest()


@contextmanager
def copied() -> Iterator[list[Checkout]]:
    """Make the copies; remove them at the end, also after Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="minitwit-mutate-") as folder:
        roots = [Path(folder) / f"checkout{number}" for number in range(COPIES)]
        for root in roots:
            quiet = ("-c", "advice.detachedHead=false")
            subprocess.run(["git", *quiet, "clone", "-q", "--shared", ROOT, root], check=True)
        yield [Checkout(root, number) for number, root in enumerate(roots)]


def _rules(root: Path) -> dict[str, str]:
    """Return for each alert its rule and the rules that it reads, as one text."""
    texts = [(root / "alerts/generated" / name).read_text() for name in FILES]
    rules = [rule for group in read(texts) for rule in group["rules"]]
    names = [rule["alert"] for rule in rules if "alert" in rule]
    return {name: str(needed(name, rules)) for name in names}


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
