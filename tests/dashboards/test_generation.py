"""Generation is quick and repeatable; committed files are up to date; nothing by-passes it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from observability.generated import MARK, check, write

ROOT = Path(__file__).parents[2]
GENERATORS = ("dashboards", "alerts")


def generate(name: str, *arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", name, *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def read(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The generators' source, free to be broken."""
    for package in ("observability", *GENERATORS):
        ignore = shutil.ignore_patterns("__pycache__", "stack")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)
    return tmp_path


@pytest.mark.parametrize("name", GENERATORS)
def test_committed_files_are_as_generated(name: str) -> None:
    done = generate(name, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", GENERATORS)
def test_the_same_bytes_each_time(name: str, tmp_path: Path) -> None:
    for run in ("one", "two"):
        assert generate(name, "--out", str(tmp_path / run)).returncode == 0
    assert read(tmp_path / "one") == read(tmp_path / "two")
    assert all(MARK in text for text in read(tmp_path / "one").values())


@pytest.mark.parametrize("name", GENERATORS)
def test_check_names_every_kind_of_drift_and_the_fix(name: str, copy: Path) -> None:
    folder = copy / name / "generated"
    files = sorted(path for path in folder.iterdir() if path.is_file())
    files[0].write_text(files[0].read_text().replace("minitwit", "maxitwit", 1))
    (folder / "stray.txt").write_text("mine")
    done = generate(name, "--check", root=copy)
    assert done.returncode == 1
    assert f"differs: {name}/generated/{files[0].name}" in done.stdout
    assert "stray: " in done.stdout
    assert "make dashboards" in done.stderr
    files[0].unlink()
    assert "missing: " in generate(name, "--check", root=copy).stdout


def test_writing_deletes_what_is_no_longer_generated_but_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(f"... {MARK} ...")
    (tmp_path / "mine.json").write_text("{}")
    write(tmp_path, {"new.json": "{}"})
    assert set(read(tmp_path)) == {"new.json", "mine.json"}
    assert check(tmp_path, {"new.json": "{}"}) == [f"stray: {tmp_path / 'mine.json'}"]


def test_a_renamed_metric_is_renamed_everywhere(copy: Path) -> None:
    for source in ("catalog/metrics.py", "exporters.py"):
        path = copy / "observability" / source
        path.write_text(re.sub(r'"minitwit_', '"mutant_', path.read_text()))
    for name in GENERATORS:
        done = generate(name, root=copy)
        assert done.returncode == 0, done.stderr
    texts = [t for name in GENERATORS for t in read(copy / name / "generated").values()]
    assert sum(text.count("mutant_") for text in texts) > 20
    assert [re.findall(r"minitwit_\w+", text) for text in texts] == [[]] * len(texts)


@pytest.mark.parametrize("label", ["status", "outcome", "operation", "component"])
def test_a_renamed_label_stops_the_generators(label: str, copy: Path) -> None:
    for source in ("catalog/labels.py", "exporters.py"):
        path = copy / "observability" / source
        path.write_text(path.read_text().replace(f'Label("{label}"', 'Label("mutant"'))
    failed = [done for name in GENERATORS if (done := generate(name, root=copy)).returncode]
    assert failed
    assert all(re.search(rf"(no|has no) label .*{label}", done.stderr) for done in failed)


@pytest.mark.parametrize(
    ("source", "old", "new"),
    [
        ("catalog/metrics.py", '"minitwit_http_requests_total"', '"minitwit_http_request_total"'),
        ("exporters.py", '"pg_locks_count"', '"pg_lock_count"'),
        ("conventions.py", 'LOKI_UID = "loki"', 'LOKI_UID = "Loki"'),
        ("conventions.py", 'PROMETHEUS_UID = "prometheus"', 'PROMETHEUS_UID = "Prometheus"'),
    ],
)
def test_what_is_renamed_but_not_regenerated_is_noticed(
    source: str, old: str, new: str, copy: Path
) -> None:
    path = copy / "observability" / source
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    done = generate("dashboards", "--check", root=copy)
    assert done.returncode == 1
    assert "differs: dashboards/generated/" in done.stdout


def test_bad_arguments_are_one_line() -> None:
    done = generate("alerts", "--time-scale", "0.5")
    assert done.returncode == 1
    assert done.stderr == "alerts: the time scale is 1 or more, not 0.5\n"
