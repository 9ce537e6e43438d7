"""The way of an archive into the cache, against a real mirror that misbehaves."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from observability.stack.programs import archives, download, tools, unpack
from observability.stack.programs.versions import RELEASES
from observability.stack.settings import Settings, StackError
from tests.parts import PATIENCE, wait_for
from tests.stack.mirror import (
    LOKI,
    PADDING,
    VERSION,
    Mirror,
    found,
    leftovers,
    offer_here,
    pinned,
    process,
    serve,
    tarred,
    zipped,
)


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with serve() as mirror:
        yield mirror


@pytest.fixture
def settings(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A machine of an architecture that all archives are known for, with nothing on it."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(tools, "SBIN", "")
    # A mirror that has no time is asked once all the same.
    monkeypatch.setattr(download, "SOCKET", PATIENCE)
    for name in ("MINITWIT_TOOLS", "GRAFANA_HOME", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return Settings(tmp_path / "run", tmp_path / "cache", mirror=mirror.url)


@pytest.fixture
def offer(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Loki on the mirror, and pinned as such."""
    content = zipped(LOKI, VERSION)
    monkeypatch.setitem(RELEASES, LOKI, pinned(LOKI, content))
    mirror.files[archives.path(LOKI, "amd64")] = content
    return content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("loki", zipped("loki", VERSION)),
        ("node", tarred(RELEASES["node"].version, "node_exporter")),
        ("prometheus", tarred("3.15.0", "prometheus", "promtool", top="prometheus-3.15.0.linux")),
        ("grafana", tarred("13.2.3", "bin/grafana", top="grafana-v13.2.3")),
    ],
)
def test_whatever_its_shape_an_archive_becomes_programs_that_run(
    mirror: Mirror, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    monkeypatch.setitem(RELEASES, name, pinned(name, content))
    mirror.files[archives.path(name, "amd64")] = content
    assert archives.fetch(settings, [name]) == ""
    program = tools.find(name, settings.cache)
    assert program and subprocess.run([program.path, "--version"], check=True)
    assert (tools.folder(name, settings.cache) / "LICENSE").read_bytes() == PADDING
    assert leftovers(settings) == set()
    asked = len(mirror.asked)
    assert archives.fetch(settings, [name]) == ""
    assert len(mirror.asked) == asked, "it is fetched once"


@pytest.mark.usefixtures("offer")
def test_another_file_than_the_pinned_one_stops_everything(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.files[archives.path(LOKI, "amd64")] = zipped(LOKI, VERSION) + b"!"
    with pytest.raises(StackError, match="another file than the pinned one"):
        archives.fetch(settings, [LOKI])
    assert not found(settings)
    assert leftovers(settings) == set()


def test_a_file_that_is_cut_off_is_gone_on_with(
    mirror: Mirror, settings: Settings, offer: bytes
) -> None:
    mirror.cut = lambda length: max(length // 2, 1000)
    assert archives.fetch(settings, [LOKI]) == ""
    assert found(settings)
    assert mirror.asked[1][1] == f"bytes={len(offer) // 2}-"


@pytest.mark.usefixtures("offer")
def test_a_mirror_that_always_hangs_up_at_once_is_said(mirror: Mirror, settings: Settings) -> None:
    mirror.cut = lambda _: 0
    assert "cut off after 0 of" in archives.fetch(settings, [LOKI])
    assert not found(settings)
    assert len(mirror.asked) == download.TRIES


@pytest.mark.usefixtures("offer")
def test_a_mirror_without_ranges_begins_anew(mirror: Mirror, settings: Settings) -> None:
    cuts = iter([1000, 10**9])
    mirror.cut, mirror.ranges = lambda _: next(cuts), False
    assert archives.fetch(settings, [LOKI]) == ""
    assert found(settings)


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (503, download.TRIES)])
@pytest.mark.usefixtures("offer")
def test_what_the_mirror_refuses_is_one_line(
    mirror: Mirror, settings: Settings, status: int, tries: int
) -> None:
    mirror.status = status
    why = archives.fetch(settings, [LOKI])
    assert f"answers {status}" in why and "\n" not in why
    assert not found(settings)
    assert len(mirror.asked) == tries
    again = archives.fetch(settings, [LOKI], patient=False)
    assert "make install tries again" in again
    assert len(mirror.asked) == tries, "it is not asked again so soon"


@pytest.mark.usefixtures("offer")
def test_a_slow_mirror_is_waited_for(
    mirror: Mirror, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slower in all than the patience, which is for silence alone."""
    monkeypatch.setattr(download, "PATIENCE", 5)
    monkeypatch.setattr(download, "CHUNK", 10 * len(PADDING))  # each byte counts, not each chunk
    mirror.pieces, mirror.pace = 40, 0.15
    assert archives.fetch(settings, [LOKI]) == ""
    assert found(settings)


@pytest.mark.usefixtures("offer")
def test_nobody_waits_for_a_mirror_that_says_nothing(
    mirror: Mirror, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert download.PATIENCE + 1 <= 10
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    mirror.pace = 20
    assert "no answer for 0.3 s" in archives.fetch(settings, [LOKI])
    assert not found(settings)
    mirror.over.set()
    left = [thread for thread in threading.enumerate() if thread.name == download.THREAD]
    wait_for("the end of what was left behind", lambda: not any(t.is_alive() for t in left))


@pytest.mark.usefixtures("offer")
def test_several_come_side_by_side(
    mirror: Mirror, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tarred(RELEASES["node"].version, "node_exporter", top="node")
    monkeypatch.setitem(RELEASES, "node", pinned("node", other))
    mirror.files[archives.path("node", "amd64")] = other
    mirror.pieces, mirror.pace = 2, 0.3
    assert archives.fetch(settings, [LOKI, "node"]) == ""
    assert tools.find(LOKI, settings.cache) and tools.find("node", settings.cache)


@pytest.mark.usefixtures("offer")
def test_a_full_disk_is_said_and_left_empty(settings: Settings, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("FULL DISK NOT TESTED: it takes root to mount a small one")
    settings.cache.mkdir()
    size = "size=300k"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(settings.cache)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("FULL DISK NOT TESTED: nothing can be mounted here")
    try:
        assert "No space left on device" in archives.fetch(settings, [LOKI])
        assert not found(settings)
        assert leftovers(settings) == set()
    finally:
        subprocess.run(["umount", str(settings.cache)], check=True)


def test_two_processes_at_once_fetch_once(mirror: Mirror, settings: Settings, offer: bytes) -> None:
    offer_here(mirror, offer)
    mirror.pieces, mirror.pace = 4, 0.2
    both = [process(settings, offer), process(settings, offer)]
    said = [one.communicate(timeout=PATIENCE)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert len(mirror.asked) == 1
    assert sum("Another process fetches programs" in text for text in said) <= 1
    assert found(settings)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_one_that_is_killed_in_the_middle_is_gone_on_with(
    mirror: Mirror, settings: Settings, offer: bytes, how: int
) -> None:
    offer_here(mirror, offer)
    mirror.pieces, mirror.held = 4, True
    killed = process(settings, offer)
    downloads = settings.cache / "downloads"
    wait_for(
        "a part of the file",
        lambda: (
            any(p.stat().st_size for p in downloads.glob("*.part")) if downloads.exists() else 0
        ),
    )
    killed.send_signal(how)
    killed.communicate(timeout=PATIENCE)
    assert killed.returncode not in (0, None)
    assert not found(settings), "never half a program"
    (settings.cache / f"{unpack.WORK}killed").mkdir()  # as if it had come as far as that
    mirror.held = False
    assert archives.fetch(settings, [LOKI]) == ""
    assert found(settings)
    assert mirror.asked[-1][1].startswith("bytes="), "what had arrived was not fetched again"
    assert leftovers(settings) == set()


@pytest.mark.parametrize("name", ["aarch64", "riscv64"])
def test_another_architecture_gets_its_own_archives_or_none(
    mirror: Mirror, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: name)
    content = tarred("3.15.0", "prometheus", "promtool")
    monkeypatch.setitem(RELEASES, "prometheus", pinned("prometheus", content, "arm64"))
    where = archives.path("prometheus", "arm64")
    assert where.endswith("linux-arm64.tar.gz")
    mirror.files[where] = content
    assert archives.fetch(settings, ["prometheus", LOKI]) == ""
    assert [path for path, _ in mirror.asked] == ([where] if name == "aarch64" else [])
    assert bool(tools.find("prometheus", settings.cache)) == (name == "aarch64")


@pytest.mark.usefixtures("offer")
def test_an_old_version_in_the_cache_stays_and_the_new_one_is_used(settings: Settings) -> None:
    old = settings.cache / "loki-3.6.8"
    old.mkdir(parents=True)
    (old / "loki").write_bytes(b"a platform may run from it")
    assert archives.fetch(settings, [LOKI]) == ""
    assert found(settings)
    assert (old / "loki").exists()


@pytest.mark.parametrize("content", [zipped(LOKI, "9.9.9"), zipped("other", VERSION), b"no zip"])
def test_what_does_not_run_or_is_something_else_is_not_there(
    mirror: Mirror, settings: Settings, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setitem(RELEASES, LOKI, pinned(LOKI, content))
    mirror.files[archives.path(LOKI, "amd64")] = content
    assert "loki" in archives.fetch(settings, [LOKI])
    assert not found(settings)
    assert leftovers(settings) == set()


def test_a_proxy_is_asked_where_one_is_set(
    mirror: Mirror, settings: Settings, offer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By http, as nothing here can answer for another's certificate; https takes the same way."""
    monkeypatch.setenv("http_proxy", mirror.url)
    monkeypatch.setenv("no_proxy", "")
    behind = Settings(settings.run_dir, settings.cache, mirror="http://archives.invalid")
    mirror.files[f"http://archives.invalid/{archives.path(LOKI, 'amd64')}"] = offer
    assert archives.fetch(behind, [LOKI]) == ""
    assert found(behind)


def test_a_folder_filled_with_archives_is_a_mirror(
    mirror: Mirror,
    settings: Settings,
    offer: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in RELEASES.keys() - {LOKI}:
        monkeypatch.delitem(RELEASES, name)
    [file] = archives.fill(tmp_path / "mirror", mirror.url)
    assert file.read_bytes() == offer
    offline = Settings(settings.run_dir, settings.cache, mirror=f"file://{tmp_path}/mirror")
    assert archives.fetch(offline, [LOKI]) == ""
    assert found(offline)
