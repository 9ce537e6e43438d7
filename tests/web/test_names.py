"""Names and texts of any kind survive the way through addresses, HTML and back."""

from __future__ import annotations

import string

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.web import names
from app.web.timelines import visible
from tests.parts import Service
from tests.web.visitor import Visitor, member

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
ODD_NAMES = (
    "a/b", "x/follow", "/", "//evil.example", "..", ".", "50%?", "a%2Fb", "#top", "q?user=1",
    "public", "login", "metrics", "add_message", "-", 'quo"te', "<script>alert(1)</script>",
    "\\", "static", "Ünï çødé 🙂", "\u202egnirts", "a+b&c;d", "tab\there", "line\nbreak",
)  # fmt: skip


@given(TEXT)
@example("..")
@example("public")
def test_an_address_holds_a_name_and_is_plain_ascii(name: str) -> None:
    address = names.address(name)
    assert set(address) <= set(string.ascii_letters + string.digits + "-._~/%?=+")
    if name not in names.RESERVED:
        assert "/" not in address[1:]
        assert names.decode(address[1:]) == name


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_odd_name_can_do_everything(web: Service, name: str) -> None:
    odd = member(web.url, name)
    page = odd.post("/add_message", text=f"by {name}")
    assert page.messages[0][0] == " ".join(name.split())
    [strong] = [*page.page.find("div.body > ul.messages > li > div > p > strong")][:1]
    href = strong.find("a")[0].attributes["href"]
    fan = Visitor(web.url)
    fan.register("fan")
    fan.log_in("fan")
    page = fan.get(href)
    assert len(page.messages) == 1
    [status] = page.page.find("div.body > div.followstatus")
    page = fan.get(status.find("a")[0].attributes["href"])
    assert page.flashes == [" ".join(f'You are now following "{name}"'.split())]
    [status] = page.page.find("div.body > div.followstatus")
    page = fan.get(status.find("a")[0].attributes["href"])
    assert page.flashes == [" ".join(f'You are no longer following "{name}"'.split())]


def test_a_slash_that_was_not_encoded_belongs_to_the_name(web: Service) -> None:
    member(web.url, "open/slash")
    assert Visitor(web.url).get("/open/slash").status == 200


@pytest.fixture(scope="module")
def writer(web: Service) -> Visitor:
    return member(web.url, "Writer")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXT.filter(lambda text: any(map(visible, text))))
@example(text="<script>alert('x')</script> & \"quotes\" {{ 7*7 }}")
def test_a_text_comes_back_as_it_was(writer: Visitor, text: str) -> None:
    page = writer.post("/add_message", text=text)
    assert page.status == 200
    assert page.messages[0][1] == " ".join(f"Writer {text}".split())
    assert not list(page.page.below("script"))
