"""Headless Chromium, watched: a page that breaks its own policy or leaves our host fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.parts import ROOT, Service

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
VIOLATIONS = """
document.addEventListener("securitypolicyviolation",
    event => console.error("policy violated: " + event.violatedDirective))
"""
NewPage = Callable[..., Page]


def installed() -> str | None:
    """Chromium on PATH."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _install() -> str | None:
    """Get Chromium from the distribution, where we may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    print("\nno Chromium on PATH: installing the distribution's with apt-get", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            ["apt-get", "-q", *arguments], env=environment, capture_output=True, check=False
        )
        if done.returncode and arguments[0] == "install":
            print(done.stderr.decode(errors="replace"), flush=True)
    return installed()


@pytest.fixture(scope="package")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Chromium, which ends before other tests run: its driver keeps an event loop running.

    It comes from PATH or the distribution's archive; else the test is skipped, loudly."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    path = installed()
    if path is None:
        with capture.global_and_fixture_disabled():
            path = _install()
    if path is None:
        pytest.skip(
            "NO BROWSER TESTED: no Chromium on PATH, and only root on Debian or Ubuntu can be"
            " helped; install the package chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser, web: Service) -> Iterator[NewPage]:
    """Opens pages, each in a context of its own (``options`` as of ``Browser.new_context``)."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def abroad(route: Route) -> None:
        trouble.append(f"request to {route.request.url}")
        route.abort()

    def make(watched: bool = True, **options: object) -> Page:
        context = browser.new_context(base_url=web.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(10_000)
        if watched:
            context.add_init_script(VIOLATIONS)
            context.route(lambda url: not url.startswith(web.url + "/"), abroad)
            context.on(
                "console",
                lambda said: trouble.append(said.text) if "polic" in said.text.lower() else None,
            )
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """One page of someone not yet signed in."""
    return new_page()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures go: they are part of the tests' output."""
    folder = ROOT / "test-output" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
