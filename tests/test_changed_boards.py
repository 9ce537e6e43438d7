"""Which boards are drawn: those that a branch changes, and no others."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.changed_boards import FOLDER, boards, git, summary
from tests.parts import ROOT


def commit(root: Path, **files: str | None) -> None:
    """Write or remove boards, and commit them."""
    for name, text in files.items():
        path = root / FOLDER / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink() if text is None else path.write_text(text)
    git("add", "--all", root=root)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    git(*identity, "commit", "--quiet", "--allow-empty", "--message", "boards", root=root)


def test_only_what_the_branch_itself_changed_is_drawn(tmp_path: Path) -> None:
    git("init", "--quiet", "--initial-branch", "main", root=tmp_path)
    commit(tmp_path, same="{}", edited="{}", gone="{}", elsewhere="{}")
    git("checkout", "--quiet", "-b", "branch", root=tmp_path)
    commit(tmp_path, edited='{"a": 1}', gone=None, fresh="{}")
    (tmp_path / FOLDER / "note.txt").write_text("no board")
    git("checkout", "--quiet", "main", root=tmp_path)
    commit(tmp_path, elsewhere='{"b": 1}')
    git("checkout", "--quiet", "branch", root=tmp_path)
    changed = boards("main", tmp_path)
    assert changed == {"edited": "changed", "gone": "removed", "fresh": "added"}
    assert "- `edited`: changed\n" in summary(changed)


def test_no_change_is_said_and_nothing_is_drawn(tmp_path: Path) -> None:
    git("init", "--quiet", "--initial-branch", "main", root=tmp_path)
    commit(tmp_path, same="{}")
    assert boards("main", tmp_path) == {}
    assert summary({}) == "No dashboard changed.\n"


def test_the_pipeline_attaches_them_to_a_pull_request() -> None:
    text = (ROOT / ".github/workflows/pipeline.yml").read_text()
    job = yaml.safe_load(text)["jobs"]["boards"]
    assert job["if"] == "github.event_name == 'pull_request'"
    [run] = [step["run"] for step in job["steps"] if "run" in step]
    assert run == "make changed-boards"
    [attached] = [
        step["with"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")
    ]
    assert attached["path"] == "test-output/boards"
