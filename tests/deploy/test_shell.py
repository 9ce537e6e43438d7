"""What the shell of an operator has set does not turn the scripts elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.parts import PATIENCE, ROOT

COMMANDS = {
    "deploy/deploy-compose.sh": ("--help",),
    "deploy/deploy-swarm.sh": ("--help",),
    "deploy/deploy-swarm-over-ssh.sh": (),
    "deploy/swarm-configs.sh": (),
    "deploy/tag-release.sh": ("--dry-run",),
}


@pytest.mark.parametrize("script", COMMANDS)
def test_a_folder_of_the_same_name_in_cdpath_is_not_taken(script: str, tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()

    def run(**environment: str) -> tuple[int, str, str]:
        done = subprocess.run(
            ["bash", script, *COMMANDS[script]], cwd=ROOT, env={**os.environ, **environment},
            capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        return done.returncode, done.stdout, re.sub(r"\d\d:\d\d:\d\dZ", "TIME", done.stderr)

    assert run(CDPATH=str(tmp_path)) == run()


def test_every_script_that_changes_its_folder_is_tried() -> None:
    moving = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob("deploy/**/*.sh")
        if re.search(r'cd "\$', path.read_text())
    }
    assert moving == COMMANDS.keys()
