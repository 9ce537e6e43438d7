"""Where programs come from, and what is said of one that is nowhere."""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path

import pytest

from observability.stack.local.up import absent
from observability.stack.programs import packages, probe, tools
from observability.stack.programs.go_modules import MODULES
from observability.stack.programs.versions import RELEASES
from observability.stack.settings import ROOT, Settings, StackError
from tests.parts import PATIENCE


def program(folder: Path, name: str, version: str = "") -> Path:
    """A program that answers --version; one without a version fails."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    answer = f"echo '{name}, version {version} (branch: x)'; echo 'go version: go1.26.8'"
    path.write_text(f"#!/bin/sh\n{answer if version else 'exit 1'}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH; returns its tool cache."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(tools, "SBIN", "")
    monkeypatch.delenv("MINITWIT_TOOLS", raising=False)
    monkeypatch.delenv("GRAFANA_HOME", raising=False)
    return tmp_path / "cache"


def found(name: str, cache: Path) -> Path:
    result = tools.find(name, cache)
    assert result
    return result.path


def test_the_pinned_version_comes_first_then_path_then_the_distribution(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tools.find("alertmanager", bare) is None
    packaged = program(packages.folder(bare) / "usr/bin", "prometheus-alertmanager")
    assert found("alertmanager", bare) == packaged
    installed = program(tmp_path / "path", "prometheus-alertmanager", "0.25.0+ds")
    assert found("alertmanager", bare) == installed
    built = program(bare / "bin", "alertmanager")
    assert found("alertmanager", bare) == built
    pinned = program(tools.folder("alertmanager", bare), "alertmanager")
    assert found("alertmanager", bare) == pinned
    monkeypatch.setenv("MINITWIT_TOOLS", "path")
    assert found("alertmanager", bare) == installed
    installed.unlink()
    assert found("alertmanager", bare) == packaged


def test_an_older_archive_in_the_cache_is_not_the_pinned_version(bare: Path) -> None:
    program(bare / "loki-3.0.0", "loki", "3.0.0")
    assert tools.find("loki", bare) is None


@pytest.mark.parametrize(
    ("name", "version", "good"),
    [
        ("loki", "3.7.6", True),
        ("promtail", "3.6.11", True),
        ("tempo", "2.10.8", True),
        ("prometheus", "2.42.0+ds", True),
        ("loki", "2.9.4", False),
        ("tempo", "3.1.0", False),  # it takes another configuration
        ("loki", "", False),  # it does not run
        ("loki", "HEAD-abcdef", False),  # nobody knows what it is
    ],
)
def test_from_path_comes_what_runs_and_is_neither_too_old_nor_too_new(
    bare: Path, tmp_path: Path, name: str, version: str, good: bool
) -> None:
    program(tmp_path / "path", name, version)
    assert (tools.find(name, bare) is not None) == good


def test_a_program_that_was_updated_is_asked_again(bare: Path, tmp_path: Path) -> None:
    program(tmp_path / "path", "loki", "2.9.4")
    assert tools.find("loki", bare) is None
    program(tmp_path / "path", "loki", "3.7.10")
    assert tools.find("loki", bare)


def test_only_versions_that_know_a_flag_are_given_it(bare: Path, tmp_path: Path) -> None:
    program(tmp_path / "path", "alertmanager", "0.25.0")
    old = tools.find("alertmanager", bare)
    program(tmp_path / "path", "alertmanager", "0.26.0")
    new = tools.find("alertmanager", bare)
    assert old and new and old.flags == () and new.flags == tools.TOOLS["alertmanager"].flags


def test_grafana_is_where_its_pages_are_unless_its_home_is_set(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = program(tmp_path / "home/bin", "grafana", "12.3.3")
    (tmp_path / "path").mkdir()
    (tmp_path / "path/grafana").symlink_to(installed)
    assert tools.find("grafana", bare) is None
    (tmp_path / "home/public").mkdir()
    assert found("grafana", bare) == installed
    pinned = program(tools.folder("grafana", bare) / "bin", "grafana")
    assert found("grafana", bare) == pinned
    given = program(tmp_path / "given/bin", "grafana", "11.0.0")
    monkeypatch.setenv("GRAFANA_HOME", str(tmp_path / "given"))
    assert found("grafana", bare) == given


def test_absent_is_what_no_program_and_no_package_is_here_for(bare: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "run", bare)
    without = {"loki", "promtail", "tempo", "grafana"}
    assert absent(settings) == without | {"ngircd", "relay"}, "no Debian, no chat"
    for name in ("apt-get", "dpkg"):
        program(tmp_path / "path", name)
    assert absent(settings) == without, "a package may bring the chat"
    assert absent(settings, ("loki", "node")) == {"loki"}
    program(tmp_path / "path", "tempo", "2.10.8")
    program(tmp_path / "path", "loki", "3.7.6")
    assert absent(settings, ("loki", "promtail")) == {"promtail"}


def test_what_is_built_can_stand_in_for_what_is_pinned() -> None:
    for module in MODULES:
        if release := RELEASES.get(module.name):
            assert tools.fits(probe.parse(module.version), release), module.name
            assert probe.parse(module.version) <= probe.parse(release.version), module.name


def test_every_archive_is_pinned_by_a_hash_and_comes_over_tls() -> None:
    for name, release in RELEASES.items():
        for arch, digest in release.sha256.items():
            assert re.fullmatch("[0-9a-f]{64}", digest), name
            assert release.url(arch).startswith("https://"), name
            assert release.version in release.url(arch) and arch in release.url(arch), name
        assert release.url("riscv64") == ""


def test_the_images_are_of_the_versions_in_the_table() -> None:
    tags = {release.image.partition(":")[0]: release.tag for release in RELEASES.values()}
    for name in ("compose.yaml", "stack.yml", "deploy/stack.postgres.yml"):
        for image in re.findall(r"^ +image: ([a-z/-]+:\S+)", (ROOT / name).read_text(), re.M):
            if not image.startswith("minitwit"):
                assert tags.get(image.partition(":")[0]) == image, name


def test_only_the_unpacked_chat_server_gets_its_own_libraries(bare: Path, tmp_path: Path) -> None:
    program(packages.folder(bare) / "usr/sbin", "ngircd")
    program(packages.folder(bare) / "usr/bin", "prometheus-node-exporter")
    ngircd, node = tools.find("ngircd", bare), tools.find("node", bare)
    assert ngircd and ngircd.env["LD_LIBRARY_PATH"].startswith(str(bare))
    assert node and node.env == {}
    program(tmp_path / "path", "ngircd")
    installed = tools.find("ngircd", bare)
    assert installed and installed.env == {}


def test_each_missing_program_is_one_line_that_says_what_to_install(bare: Path) -> None:
    with pytest.raises(StackError) as error:
        tools.require(["prometheus", "relay"], bare)
    first, second = str(error.value).splitlines()
    assert "prometheus" in first
    assert "package alertmanager-irc-relay" in second
    assert not bare.exists()  # without apt-get nothing is tried


def test_an_archive_that_gives_nothing_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real apt-get, told that there is no archive."""
    if not shutil.which("apt-get"):
        pytest.skip("no apt-get on this machine")
    config = tmp_path / "apt.conf"
    config.write_text('Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "/dev/null";\n')
    monkeypatch.setenv("APT_CONFIG", str(config))
    why = packages.fetch({"no-such-package"}, tmp_path / "cache")
    assert "it knows none of the packages" in why
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["install.lock"]


def test_two_fetches_at_once_unpack_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unpacking is replaced: lock and atomic rename are what is tested."""
    if not shutil.which("apt-get"):
        pytest.skip("no apt-get on this machine")
    unpacked = []
    both_here = threading.Barrier(2, timeout=PATIENCE)

    def unpack(names: set[str], work: Path) -> Path:
        unpacked.append(work)
        root = work / "root"
        root.mkdir()
        (root / packages.MANIFEST).write_text("\n".join(names))
        return root

    def fetch() -> None:
        both_here.wait()
        packages.fetch({"a", "b"}, tmp_path)

    monkeypatch.setattr(packages, "_unpack", unpack)
    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(unpacked) == 1
    assert (packages.folder(tmp_path) / packages.MANIFEST).exists()
