"""Chromium: from PATH, or installed from the distribution's archive."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Two processes share the tests, and apt-get does not wait for another.
LOCK = Path(tempfile.gettempdir()) / f"minitwit-chromium-{os.getuid()}.lock"


def installed() -> str | None:
    """Chromium on PATH."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def launch(playwright: Playwright) -> Browser:
    """Start the Chromium that is on PATH, without a window."""
    return playwright.chromium.launch(executable_path=installed(), args=FLAGS)


def provide(config: pytest.Config) -> None:
    """Have Chromium on PATH, installed if need be; else skip the test, loudly."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled(), LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed() is None:
            _install()
    if installed() is None:
        pytest.skip(
            "NO BROWSER TESTED: no Chromium on PATH, and only root on Debian or Ubuntu can be"
            " helped; install the package chromium"
        )


def _install() -> None:
    """Get Chromium from the distribution, where we may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print("\nno Chromium on PATH: installing the distribution's with apt-get", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            ["apt-get", "-q", *arguments], env=environment, capture_output=True, check=False
        )
        if done.returncode and arguments[0] == "install":
            print(done.stderr.decode(errors="replace"), flush=True)
