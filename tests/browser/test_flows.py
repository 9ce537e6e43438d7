"""Every flow of the contract in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.people import PASSWORD, follow, join, says, share, sign_in, sign_up
from tests.parts import Service
from tests.web.visitor import member

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # Chromium may have to be installed


def test_the_whole_story(page: Page, web: Service) -> None:
    other = member(web.url, "Åse Müller/Smith")
    other.form("/add_message", text="Hello from Åse")
    sign_up(page, "Olaf")
    says(page, "You were successfully registered and can login now")
    sign_in(page, "Olaf")
    says(page, "You were logged in")
    share(page, "My first message")
    says(page, "Your message was recorded")
    first = page.locator("ul.messages > li").first
    expect(first.locator("div > p")).to_have_text("Olaf My first message")
    follow(page, page.get_by_role("link", name="public timeline"))
    follow(page, page.get_by_role("link", name="Åse Müller/Smith"))
    expect(page.locator("div.followstatus")).to_contain_text("You are not yet following this user.")
    follow(page, page.get_by_role("link", name="Follow user"))
    says(page, 'You are now following "Åse Müller/Smith"')
    follow(page, page.get_by_role("link", name="my timeline"))
    expect(page.locator("ul.messages > li")).to_have_count(2)
    follow(page, page.get_by_role("link", name="Åse Müller/Smith"))
    follow(page, page.get_by_role("link", name="Unfollow user"))
    says(page, 'You are no longer following "Åse Müller/Smith"')
    follow(page, page.get_by_role("link", name="my timeline"))
    expect(page.locator("ul.messages > li")).to_have_count(1)
    follow(page, page.get_by_role("link", name="sign out [Olaf]"))
    says(page, "You were logged out")
    expect(page.locator("div.navigation")).to_contain_text("sign in")


def test_form_errors_keep_what_was_typed(page: Page) -> None:
    page.goto("/register")
    sign_up_button = page.get_by_role("button", name="Sign Up")
    error = page.get_by_role("alert")
    follow(page, sign_up_button)
    expect(error).to_have_text("Error: You have to enter a username")
    expect(page.get_by_label("Username:")).to_be_focused()
    page.get_by_label("Username:").fill("Petra")
    follow(page, sign_up_button)
    expect(error).to_have_text("Error: You have to enter a valid email address")
    page.get_by_label("E-Mail:").fill("petra@example.org")
    follow(page, sign_up_button)
    expect(error).to_have_text("Error: You have to enter a password")
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    follow(page, sign_up_button)
    expect(error).to_have_text("Error: The two passwords do not match")
    expect(page.get_by_label("Username:")).to_have_value("Petra")
    expect(page.get_by_label("E-Mail:")).to_have_value("petra@example.org")
    expect(page.get_by_label("Password:", exact=True)).to_have_value("")
    sign_in(page, "Petra")
    expect(error).to_have_text("Error: Invalid username")
    expect(page.get_by_label("Username:")).to_have_value("Petra")


def test_paging(page: Page, web: Service) -> None:
    writer = member(web.url, "Quentin")
    for number in range(35):
        writer.form("/add_message", text=f"number {number:02}")
    page.goto("/Quentin")
    messages = page.locator("ul.messages > li")
    expect(messages).to_have_count(30)
    follow(page, page.get_by_role("link", name="Older messages"))
    expect(messages).to_have_count(5)
    expect(messages.last).to_contain_text("number 00")
    expect(page.get_by_role("link", name="Older messages")).to_have_count(0)
    follow(page, page.get_by_role("link", name="Newest messages"))
    expect(messages.first).to_contain_text("number 34")


def test_markup_in_messages_and_names_is_only_text(page: Page) -> None:
    bad = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    join(page, f"<b>{bad[:60]}</b>")
    share(page, bad)
    expect(page.locator("ul.messages > li").first).to_contain_text(bad)
    expect(page).to_have_title("My Timeline | MiniTwit")
    assert page.locator("ul.messages script, ul.messages p img, ul.messages b").count() == 0


def test_log_in_by_keyboard_alone(page: Page, web: Service) -> None:
    member(web.url, "Rita")
    page.goto("/public")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    for name in ("MiniTwit", "public timeline", "sign up", "sign in"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=name)).to_be_focused()
        width = "getComputedStyle(document.activeElement).outlineWidth"
        assert page.evaluate(width) == "3px", "focus can be seen"
    with page.expect_event("load"):
        page.keyboard.press("Enter")
    expect(page).to_have_title("Sign In | MiniTwit")
    for _ in range(6):
        page.keyboard.press("Tab")
    expect(page.get_by_label("Username:")).to_be_focused()
    page.keyboard.type("Rita")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    with page.expect_event("load"):
        page.keyboard.press("Enter")
    says(page, "You were logged in")


def test_works_without_scripts(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    join(page, "Sven")
    share(page, "no script needed")
    says(page, "Your message was recorded")
