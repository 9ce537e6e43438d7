"""What people do in a browser, by what they see: labels, links, buttons."""

from __future__ import annotations

from playwright.sync_api import Page, expect

PASSWORD = "a pass'word\\"


def sign_up(page: Page, name: str) -> None:
    """Register by hand."""
    page.goto("/register")
    page.get_by_label("Username:").fill(name)
    page.get_by_label("E-Mail:").fill("someone@example.org")
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_label("Password (repeat):").fill(PASSWORD)
    page.get_by_role("button", name="Sign Up").click()


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Log in by hand."""
    page.goto("/login")
    page.get_by_label("Username:").fill(name)
    page.get_by_label("Password:").fill(password)
    page.get_by_role("button", name="Sign In").click()


def join(page: Page, name: str) -> None:
    """Register and log in."""
    sign_up(page, name)
    sign_in(page, name)
    says(page, "You were logged in")


def share(page: Page, text: str) -> None:
    """Post a message."""
    page.goto("/")
    page.get_by_role("textbox").fill(text)
    page.get_by_role("button", name="Share").click()


def says(page: Page, text: str) -> None:
    """The page shows this one flash."""
    expect(page.locator("body > div.page > ul.flashes > li")).to_have_text([text])
