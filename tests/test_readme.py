"""What the README says exists."""

from __future__ import annotations

import re

from tests.parts import ROOT

README = (ROOT / "README.md").read_text()


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)`", README)) | set(
        re.findall(r"^make ([a-z]+)", README, re.MULTILINE)
    )
    assert {"up", "test"} <= named
    assert named <= targets


def test_files_and_settings_exist() -> None:
    for path in re.findall(r"`((?:tests|observability|app|dashboards)/[\w/.]+)`", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(([\w/.]+)\)", README):
        assert (ROOT / path).exists(), path
    source = (ROOT / "app/settings.py").read_text()
    table = README[README.index("| setting |") : README.index("`RUN_DIR` (default")]
    for row in table.splitlines()[2:]:
        for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1] if "|" in row else ""):
            assert f'"{name}"' in source, name
