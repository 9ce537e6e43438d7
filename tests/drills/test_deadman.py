"""The dead man's switch reports that alerts no longer arrive, and the recovery."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from observability.conventions import HEARTBEAT
from tests.drills.__main__ import running_site
from tests.drills.heartbeat import age, said
from tests.drills.site import Site
from tests.drills.table import SCALE
from tests.parts import PATIENCE, ROOT, free_port, request, stranger, wait_for

FIRING = {
    "alerts": [
        {"status": "firing", "labels": {"alertname": "Watchdog"}, "annotations": {HEARTBEAT: "5.0"}}
    ]
}
BEATING = 6.0  # seconds: at this pace a beat comes every two to four
SAID = {
    "prometheus": ("no Watchdog for", "the Watchdog is back"),
    "alertmanager": ("no Watchdog for", "the Watchdog is back"),
    "relay": ("the relay has not been in the channel", "the relay is back"),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site(SCALE, small=False) as site:
        yield site


@pytest.mark.stack
@pytest.mark.timeout(900)
@pytest.mark.parametrize("component", [*SAID])
def test_a_broken_chain_is_told_past_it(component: str, site: Site) -> None:
    wait_for("a Watchdog", lambda: age(site) < BEATING)
    since = len(site.chat_lines())
    lost, back = SAID[component]
    site.stop(component)
    wait_for("the complaint", lambda: said(site, lost, since))
    site.start(component)
    wait_for("the good news", lambda: said(site, back, since))
    assert len(said(site, lost, since)) == 1


@pytest.mark.stack
@pytest.mark.timeout(900)
def test_a_full_disk_under_prometheus_stops_the_heartbeat(tmp_path: Path) -> None:
    """It goes on evaluating and sending: only that it stores no samples gives it away."""
    if os.geteuid():
        pytest.skip("NOT TESTED: only root can mount a small disk")
    site = Site(tmp_path / "run", SCALE)
    (disk := site.run_dir / "data/prometheus").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(disk)], check=True)
    try:
        site.up("prometheus", "alertmanager", "ngircd", "chatlog", "deadman")
        wait_for("a Watchdog", lambda: age(site) < BEATING)
        since = len(site.chat_lines())
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        wait_for("the complaint", lambda: said(site, "no Watchdog for", since))
        assert site.process("prometheus").state == "RUNNING"
        (disk / "filler").unlink()
        wait_for("the good news", lambda: said(site, "the Watchdog is back", since))
    finally:
        site.down()
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.stack
@pytest.mark.timeout(900)
def test_it_waits_for_a_chat_that_is_away(site: Site) -> None:
    since = len(site.chat_lines())
    site.stop("ngircd")
    site.stop("alertmanager")
    log = site.run_dir / "logs/deadman.log"
    wait_for("a first try", lambda: "not told" in log.read_text())
    site.start("ngircd")
    wait_for("the complaint", lambda: said(site, "no Watchdog for", since))
    site.start("alertmanager")
    wait_for("the good news", lambda: said(site, "the Watchdog is back", since))


@pytest.fixture
def phone() -> Iterator[tuple[str, list[str]]]:
    """Where DEADMAN_URL leads."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(json.loads(body)["text"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", heard
        server.shutdown()
        thread.join()


def test_the_phone_rings_though_the_chat_is_dead_and_bad_input_is_refused(
    phone: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, heard = phone
    settings = environment(tmp_path, url, SILENCE="1.5", CHAT="127.0.0.1:1")
    with running(settings) as process:
        base = f"http://127.0.0.1:{settings['PORT']}"
        wait_for("the switch", lambda: request("GET", f"{base}/healthz").status == 200)
        for bad in (b"", b"{", b"[]", b'{"alerts": 1}', b'{"alerts": [{}]}'):
            assert request("POST", base, bad).status == 400
        assert request("GET", f"{base}/other").status == 404
        assert request("POST", base, json.dumps(FIRING).encode()).status == 200
        wait_for("the phone", lambda: heard)
        wait_for("both", lambda: len(heard) > 1)
        assert any(re.match(r"\[DEADMAN\] no Watchdog for \d+ s", text) for text in heard)
        assert any(text.startswith("[DEADMAN] the chat has not answered") for text in heard)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


SWITCH = [sys.executable, "-m", "observability.stack.deadman"]


def environment(folder: Path, url: str, **more: str) -> dict[str, str]:
    """Return the settings of a switch that posts to ``url``."""
    (folder / "url").write_text(url)
    own = {"PORT": str(free_port()), "CHAT": "", "DEADMAN_URL_FILE": str(folder / "url")}
    return {**os.environ, **own, **more}


@contextmanager
def running(settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A switch; killed at the end, if it still runs."""
    with subprocess.Popen(SWITCH, cwd=ROOT, env=settings) as process:
        try:
            yield process
        finally:
            process.kill()


def test_strangers_at_the_ports_of_alertmanager_and_chat_keep_it_from_nothing(
    phone: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, heard = phone
    with (
        stranger(b"SSH-2.0-x\r\n") as alertmanager,
        stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n") as chat,
    ):
        settings = environment(tmp_path, url, SILENCE="1.5", ALERTMANAGER=alertmanager, CHAT=chat)
        with running(settings) as process:
            wait_for("both", lambda: len(heard) > 1 or process.poll() is not None)
            assert process.poll() is None, "the switch ended"
            assert sorted(text.split(" for ")[0] for text in heard) == [
                "[DEADMAN] no Watchdog",
                "[DEADMAN] the chat has not answered",
            ]
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0


def test_one_that_was_killed_goes_on_waiting_and_one_that_is_stopped_does_not(
    phone: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, heard = phone
    file = tmp_path / "heartbeat"
    settings = environment(tmp_path, url, SILENCE="40", HEARTBEAT_FILE=str(file))
    with running(settings):
        wait_for("the file", file.exists)
    before = file.stat().st_mtime - 100
    os.utime(file, (before, before))
    with running(settings) as process:
        [said] = wait_for("the phone", lambda: heard)
        assert 100 <= int(said.split()[4]) < 100 + PATIENCE, said
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert not file.exists()


@pytest.mark.parametrize(
    "bad",
    [
        "hooks.example.com/token",
        "ftp://a/token",
        "http://",
        "https://u:p@a/token",
        "http://a/to ken",
    ],
)
def test_an_address_that_is_none_is_one_line_without_it(bad: str, tmp_path: Path) -> None:
    done = subprocess.run(
        SWITCH, cwd=ROOT, env=environment(tmp_path, bad), capture_output=True, text=True,
        check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "deadman: DEADMAN_URL_FILE must hold an http or https URL\n"


def test_a_wrong_setting_is_one_line() -> None:
    command = [sys.executable, "-m", "observability.stack.deadman"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "SILENCE": "soon"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("deadman: PORT and SILENCE are numbers")
