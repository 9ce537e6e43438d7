"""What people do in a browser, by what they see: labels, links, buttons."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

PASSWORD = "a pass'word\\"


def follow(page: Page, target: Locator) -> None:
    """Click what leads to another page, and wait until that has loaded.

    A click returns earlier: with the old page there, or the new one without its style sheet.
    """
    with page.expect_event("load"):
        target.click()


def sign_up(page: Page, name: str) -> None:
    """Register by hand."""
    page.goto("/register")
    page.get_by_label("Username:").fill(name)
    page.get_by_label("E-Mail:").fill("someone@example.org")
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_label("Password (repeat):").fill(PASSWORD)
    follow(page, page.get_by_role("button", name="Sign Up"))


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Log in by hand."""
    page.goto("/login")
    page.get_by_label("Username:").fill(name)
    page.get_by_label("Password:").fill(password)
    follow(page, page.get_by_role("button", name="Sign In"))


def join(page: Page, name: str) -> None:
    """Register and log in."""
    sign_up(page, name)
    sign_in(page, name)
    says(page, "You were logged in")


def share(page: Page, text: str) -> None:
    """Post a message."""
    page.goto("/")
    page.get_by_role("textbox").fill(text)
    follow(page, page.get_by_role("button", name="Share"))


def says(page: Page, text: str) -> None:
    """The page shows this one flash."""
    expect(page.locator("body > div.page > ul.flashes > li")).to_have_text([text])
