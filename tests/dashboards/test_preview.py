"""The preview passes on reading queries and nothing else, and says what is not there."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dashboards.preview.application import BOARDS, STATIC
from tests.parts import PATIENCE, ROOT, free_port, request, wait_for

SECRET = "secret-of-prometheus"
PREVIEW = ROOT / "dashboards/preview"
# uPlot 1.6.32 as npm has it: dist/uPlot.iife.min.js and dist/uPlot.min.css.
VENDORED = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The preview with a Prometheus that is gone and without Loki."""
    port = free_port()
    nobody = f"http://user:{SECRET}@127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboards.preview", "--port", str(port), "--prometheus", nobody],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for("the preview", lambda: request("GET", url).status == 200)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0


def test_it_serves_the_generated_dashboards(address: str) -> None:
    titles = request("GET", f"{address}/boards").json()["boards"]
    assert set(titles) == {json.loads(file.read_text())["uid"] for file in BOARDS.glob("*.json")}
    for uid, title in titles.items():
        assert request("GET", f"{address}/boards/{uid}").json()["title"] == title


@pytest.mark.parametrize("uid", ["nothing", "..", "%2e%2e%2fREADME", "minitwit-overview.json"])
def test_it_serves_no_other_file(address: str, uid: str) -> None:
    assert request("GET", f"{address}/boards/{uid}").status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/data/prometheus/query"),
        ("DELETE", "/data/prometheus/series"),
        ("GET", "/data/prometheus/admin/tsdb/delete_series"),
        ("GET", "/data/prometheus/status"),
        ("GET", "/data/loki/push"),
        ("POST", "/data/loki/query_range"),
        ("GET", "/data/alertmanager/query"),
    ],
)
def test_it_passes_on_nothing_that_writes(address: str, method: str, path: str) -> None:
    assert request(method, address + path).status in (404, 405)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:3001", "127.0.0.1.evil.example"])
def test_another_host_is_refused(address: str, host: str) -> None:
    assert request("GET", f"{address}/boards", headers={"Host": host}).status == 400


def test_no_other_page_may_read_it(address: str) -> None:
    answer = request("GET", f"{address}/boards", headers={"Origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_dead_source_is_named_without_its_credentials(address: str) -> None:
    answer = request("GET", f"{address}/data/prometheus/query?query=up")
    assert answer.status == 502
    assert answer.json()["error"].startswith("No answer: ")
    assert SECRET.encode() not in answer.body
    missing = request("GET", f"{address}/data/loki/query_range?query=x")
    assert (missing.status, missing.json()["error"]) == (503, "No Loki runs here.")


def test_the_library_is_as_its_authors_made_it() -> None:
    folder = STATIC / "vendor"
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in VENDORED}
    assert found == VENDORED
    assert "The MIT License" in (folder / "uPlot.LICENSE").read_text()


def test_it_stays_small() -> None:
    ours = [file for file in PREVIEW.rglob("*.*") if "vendor" not in file.parts]
    lines = sum(file.read_text().count("\n") for file in ours if file.suffix != ".pyc")
    assert lines <= 500
