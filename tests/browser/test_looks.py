"""How every page looks: pictures to look at, and what can be measured."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser.conftest import NewPage
from tests.browser.people import follow, join, sign_in
from tests.parts import Service, free_port, start_service
from tests.web.visitor import member

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SIZES: dict[str, ViewportSize] = {
    "desktop": {"width": 1280, "height": 800},
    "phone": {"width": 375, "height": 740},
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TEXTS = (
    ("Ada Lovelace", "The Analytical Engine weaves algebraic patterns.", 40),
    ("Grace Hopper", "It is often easier to ask forgiveness than to get permission.", 400),
    ("Σωκράτης", "Ἓν οἶδα ὅτι οὐδὲν οἶδα 🤔", 4000),
    ("مريم", "السلام عليكم، هذا نص عربي", 50_000),
    ("Donaudampfschifffahrtsgesellschaftskapitän" * 3, "W" * 200, 400_000),
    ("<b>Tag</b>", "<script>alert('hello')</script>", 50 * 86_400),
)
_numbers = itertools.count(1)
# What a text stands on is the nearest background that is not transparent.
CONTRAST = """() => {
  const luminance = c => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => {
    v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const ground = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if (c !== "rgba(0, 0, 0, 0)") return c } return "rgb(255, 255, 255)" };
  const own = e => e.value || [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll("body *")].filter(own).map(e => {
    const [a, b] = [luminance(getComputedStyle(e).color), luminance(ground(e))].sort();
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 80)] })
}"""
UNNAMED = """() => [...document.querySelectorAll("input:not([type=submit])")]
  .filter(e => !e.labels.length && !e.getAttribute("aria-labelledby")).map(e => e.outerHTML)"""


@pytest.fixture(scope="module")
def crowd(web: Service, database_url: str) -> str:
    """People who wrote at various times, seen by Ada."""
    for name, text, age in TEXTS:
        member(web.url, name).form("/add_message", text=text)
        with psycopg.connect(database_url) as connection:
            connection.execute(
                "UPDATE messages SET pub_date = pub_date - %s WHERE text = %s", (age, text)
            )
    visitor = member(web.url, "Ada Lovelace 2")
    for number in range(40):
        visitor.form("/add_message", text=f"note {number}")
    return "Ada Lovelace"


def _visit(path: str) -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        page.goto(path)

    return visit


def _signed_in(path: str) -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        sign_in(page, "Ada Lovelace")
        page.goto(path)

    return visit


def _newcomer(page: Page) -> None:
    join(page, f"Newcomer {next(_numbers)}")


def _complaint(page: Page) -> None:
    page.goto("/register")
    page.get_by_label("Username:").fill("Vera")
    follow(page, page.get_by_role("button", name="Sign Up"))


def _older(page: Page) -> None:
    page.goto("/public")
    follow(page, page.get_by_role("link", name="Older messages"))


VIEWS: dict[str, Callable[[Page], None]] = {
    "public": _visit("/public"),
    "public-older": _older,
    "home": _signed_in("/"),
    "home-empty-with-flash": _newcomer,
    "profile": _visit("/Grace%20Hopper"),
    "profile-signed-in": _signed_in("/Grace%20Hopper"),
    "profile-own": _signed_in("/Ada%20Lovelace"),
    "login": _visit("/login"),
    "register": _visit("/register"),
    "register-error": _complaint,
    "error-401": _visit("/Grace%20Hopper/follow"),
    "error-404": _visit("/nobody"),
    "error-405": _visit("/add_message"),
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_page(new_page: NewPage, crowd: str, screenshots: Path, view: str) -> None:
    page = new_page()
    VIEWS[view](page)
    check(page, screenshots, view)


def check(page: Page, screenshots: Path, view: str) -> None:
    """Take pictures; contrast is AA, fields have names, nothing sticks out sideways."""
    for size, scheme in itertools.product(SIZES, SCHEMES):
        page.set_viewport_size(SIZES[size])
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=screenshots / f"{view}-{size}-{scheme}.png", full_page=True)
        measured = page.evaluate(CONTRAST)
        assert measured
        assert [(ratio, html) for ratio, html in measured if ratio < 4.5] == [], scheme
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
    assert page.evaluate(UNNAMED) == []
    assert page.locator("html").get_attribute("lang") == "en"
    for landmark in ("navigation", "main", "contentinfo"):
        assert page.locator(f"[role={landmark}]").first.is_visible()


def test_the_page_when_api_is_away(new_page: NewPage, screenshots: Path, tmp_path: Path) -> None:
    with start_service("web", tmp_path, API_URL=f"http://127.0.0.1:{free_port()}") as lonely:
        page = new_page(watched=False)
        page.goto(f"{lonely.url}/public")
        check(page, screenshots, "error-503")


def test_long_words_and_names_wrap_on_a_phone(new_page: NewPage, crowd: str) -> None:
    page = new_page(viewport={"width": 320, "height": 600})
    _older(page)
    for width in page.locator("ul.messages p").evaluate_all("all => all.map(e => e.scrollWidth)"):
        assert width <= 320
