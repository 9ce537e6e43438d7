"""Headless Chromium, watched: a page that breaks its own policy or leaves our host fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from tests.browser.chromium import launch, provide
from tests.parts import PATIENCE, ROOT, Service

VIOLATIONS = """
document.addEventListener("securitypolicyviolation",
    event => console.error("policy violated: " + event.violatedDirective))
"""
NewPage = Callable[..., Page]
expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="package")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Chromium, which ends before other tests run: its driver keeps an event loop running."""
    provide(pytestconfig)
    with sync_playwright() as playwright:
        browser = launch(playwright)
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
        context.set_default_timeout(PATIENCE * 1000)
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
