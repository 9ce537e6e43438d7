"""`make up` on a running platform: what changed is restarted; Ctrl-C says what runs on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from observability.stack.local import checksum
from observability.stack.local.layout import render
from observability.stack.local.up import plan
from observability.stack.settings import load
from tests.parts import PATIENCE, ROOT, free_port, wait_for
from tests.stack.platform import Platform

PARTS = ("node", "ngircd", "chatlog")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with the configuration of the whole platform."""
    folder = tmp_path_factory.mktemp("run")
    settings = load({**os.environ, "RUN_DIR": str(folder)})
    render(plan(settings), folder / "config")
    return folder


@pytest.mark.parametrize(
    "name", sorted({*checksum.CODE, *checksum.CONFIGURATION, *checksum.SECRETS})
)
def test_a_component_s_checksum_covers_files_that_exist(name: str, rendered: Path) -> None:
    for path in checksum.CODE.get(name, ()):
        assert (ROOT / path).exists(), path
    for path in checksum.CONFIGURATION.get(name, ()):
        assert (rendered / "config" / path).exists(), path


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("app/new.py", {"migrate", "api", "web"}),
        ("simulator/new.py", {"load"}),
        ("observability/instrument/new.py", {"migrate", "api", "web", "load"}),
        ("observability/stack/irc/new.py", {"chatlog", "deadman"}),
        ("app/__pycache__/new.pyc", set()),
    ],
)
def test_changed_code_concerns_those_that_run_it(
    path: str, names: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checksum, "ROOT", tmp_path)

    def checksums() -> dict[str, str]:
        return {
            name: checksum.checksum(name, None, tmp_path / "c", tmp_path / "s")
            for name in checksum.CODE
        }

    before = checksums()
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("new")
    after = checksums()
    assert {name for name in after if after[name] != before[name]} == names


def test_a_changed_secret_restarts_those_that_read_it(platform: Platform) -> None:
    platform.up(*PARTS)
    before = {name: platform.process(name).pid for name in PARTS}
    (platform.run_dir / "secrets/chat_password").write_text("another")
    said = platform.up(*PARTS).stdout
    after = {name: platform.process(name).pid for name in PARTS}
    assert "Restarted because they changed: " in said
    assert {name for name in PARTS if after[name] != before[name]} == {"ngircd", "chatlog"}


def running(platform: Platform) -> set[str]:
    return {name for name, process in platform.supervisor.processes().items() if process.pid}


def test_ctrl_c_in_the_middle_says_what_runs_and_how_to_go_on(platform: Platform) -> None:
    """Of a start that waits for an api whose database is not there."""
    nowhere = f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/none"
    with subprocess.Popen(
        [sys.executable, "-m", "observability.stack", "up", "--only", "node,api"],
        cwd=ROOT,
        env={**os.environ, **platform.environment, "DATABASE_URL": nowhere},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as start:
        wait_for("both", lambda: running(platform) >= {"node", "api"})
        start.send_signal(signal.SIGINT)
        _, errors = start.communicate(timeout=PATIENCE)
    assert start.returncode == 130
    assert "Interrupted. 3 components run on. Go on: make up   Stop: make down" in errors
    assert "Traceback" not in errors
