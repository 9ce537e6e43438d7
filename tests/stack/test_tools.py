"""Where programs come from, and what is said of one that is nowhere."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from observability.stack.programs import archive, tools
from observability.stack.settings import StackError


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH; returns its tool cache."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(tools, "SBIN", "")
    monkeypatch.delenv("MINITWIT_TOOLS")
    return tmp_path / "cache"


def found(name: str, cache: Path) -> Path:
    result = tools.find(name, cache)
    assert result
    return result.path


def test_path_comes_first_then_what_was_built_then_the_distribution(
    bare: Path, tmp_path: Path
) -> None:
    assert tools.find("alertmanager", bare) is None
    packaged = program(archive.folder(bare) / "usr/bin", "prometheus-alertmanager")
    assert found("alertmanager", bare) == packaged
    built = program(bare / "bin", "alertmanager")
    assert found("alertmanager", bare) == built
    installed = program(tmp_path / "path", "prometheus-alertmanager")
    assert found("alertmanager", bare) == installed


def test_where_the_distribution_has_web_pages_it_comes_before_what_was_built(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = program(archive.folder(bare) / "usr/bin", "prometheus")
    built = program(bare / "bin", "prometheus")
    assert found("prometheus", bare) == packaged
    monkeypatch.setenv("MINITWIT_TOOLS", "pinned")
    assert found("prometheus", bare) == built


def test_pinned_means_what_was_built_whatever_is_on_path(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINITWIT_TOOLS", "pinned")
    program(tmp_path / "path", "alertmanager")
    built = program(bare / "bin", "alertmanager")
    assert found("alertmanager", bare) == built


def test_only_the_unpacked_chat_server_gets_its_own_libraries(bare: Path, tmp_path: Path) -> None:
    program(archive.folder(bare) / "usr/sbin", "ngircd")
    program(archive.folder(bare) / "usr/bin", "prometheus-node-exporter")
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
    why = archive.fetch({"no-such-package"}, tmp_path / "cache")
    assert "it knows none of the packages" in why
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["install.lock"]


def test_two_fetches_at_once_unpack_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unpacking is replaced: it is the lock and the appearance in one step that count."""
    if not shutil.which("apt-get"):
        pytest.skip("no apt-get on this machine")
    unpacked = []
    both_here = threading.Barrier(2, timeout=10)

    def unpack(packages: set[str], work: Path) -> Path:
        unpacked.append(work)
        root = work / "root"
        root.mkdir()
        (root / archive.MANIFEST).write_text("\n".join(packages))
        return root

    def fetch() -> None:
        both_here.wait()
        archive.fetch({"a", "b"}, tmp_path)

    monkeypatch.setattr(archive, "_unpack", unpack)
    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(unpacked) == 1
    assert (archive.folder(tmp_path) / archive.MANIFEST).exists()
