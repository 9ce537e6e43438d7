"""What people do: the contract's routes, texts and structure, against the real api."""

from __future__ import annotations

import pytest

from tests.parts import Service
from tests.web.visitor import PASSWORD, Node, Visitor, member


def test_register_log_in_post_and_log_out(web: Service) -> None:
    visitor = Visitor(web.url)
    assert visitor.raw("GET", "/").headers["Location"] == "/public"
    page = visitor.register("Anna Bell")
    assert page.flashes == ["You were successfully registered and can login now"]
    assert page.page.find("div.body > h2")[0].text == "Sign In"
    assert visitor.log_in("Anna Bell").flashes == ["You were logged in"]
    page = visitor.post("/add_message", text="Hello, world")
    assert page.flashes == ["Your message was recorded"]
    assert page.messages == [("Anna Bell", "Anna Bell Hello, world")]
    assert visitor.get("/").flashes == [], "a flash is said once"
    token = dict(visitor.cookies)
    page = visitor.get("/logout")
    assert page.flashes == ["You were logged out"]
    visitor.cookies = token
    assert visitor.raw("GET", "/").headers["Location"] == "/public", "the token is still good"


REGISTRATION = {"username": "b", "email": "b@c", "password": "x", "password2": "x"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"username": "", "email": "", "password": ""}, "You have to enter a username"),
        ({"email": "", "password": ""}, "You have to enter a valid email address"),
        ({"email": "no-at"}, "You have to enter a valid email address"),
        ({"password": "", "password2": "y"}, "You have to enter a password"),
        ({"password2": "y"}, "The two passwords do not match"),
        ({"username": "taken", "password2": "y"}, "The two passwords do not match"),
        ({"username": "taken"}, "The username is already taken"),
    ],
)
def test_registration_complains_in_order_and_keeps_what_was_typed(
    web: Service, change: dict[str, str], complaint: str
) -> None:
    visitor = Visitor(web.url)
    visitor.register("taken")
    fields = REGISTRATION | change
    page = visitor.form("/register", **fields)
    assert (page.status, page.error) == (200, f"Error: {complaint}")
    values = {
        node.attributes.get("name"): node.attributes["value"]
        for node in page.page.below("input")
        if node.attributes["type"] != "submit"
    }
    assert values == {**fields, "password": "", "password2": ""}


def test_log_in_complains_and_keeps_the_name_but_no_password(web: Service) -> None:
    visitor = Visitor(web.url)
    visitor.register("Carl")
    page = visitor.log_in("Nobody")
    assert page.error == "Error: Invalid username"
    page = visitor.log_in("Carl", "secret-guess")
    assert page.error == "Error: Invalid password"
    assert 'value="Carl"' in page.html
    assert "secret-guess" not in page.html


def test_follow_and_unfollow(web: Service) -> None:
    visitor = member(web.url, "Dora")
    member(web.url, "Emil").post("/add_message", text="from Emil")
    page = visitor.get("/Emil")
    [status] = page.page.find("div.body > div.followstatus")
    assert status.text.startswith("You are not yet following this user.")
    page = visitor.get(status.find("a")[0].attributes["href"])
    assert page.flashes == ['You are now following "Emil"']
    [status] = page.page.find("div.body > div.followstatus")
    assert status.text.startswith("You are currently following this user.")
    assert visitor.get("/").messages == [("Emil", "Emil from Emil")]
    page = visitor.get(status.find("a")[0].attributes["href"])
    assert page.flashes == ['You are no longer following "Emil"']
    assert visitor.get("/").messages == []
    [status] = visitor.get("/Dora").page.find("div.body > div.followstatus")
    assert status.text == "This is you!"
    assert not Visitor(web.url).get("/Emil").page.find("div.body > div.followstatus")


def test_structure_of_a_timeline(web: Service) -> None:
    visitor = member(web.url, "Fred")
    page = visitor.post("/add_message", text="structured").page
    assert [n.attributes.get("class", n.tag) for n in page.find("")] == [
        "h1", "navigation", "flashes", "body", "footer",
    ]  # fmt: skip
    [form] = page.find("div.body > div.twitbox > form")
    inputs = [(n.attributes["type"], n.attributes.get("name")) for n in form.find("input")]
    assert inputs == [("text", "text"), ("submit", None)]
    [item] = page.find("div.body > ul.messages > li")
    assert [n.tag for n in item.find("")] == ["img", "div"]
    [img] = item.find("img")
    assert img.attributes["alt"] == ""
    assert visitor.get(img.attributes["src"]).headers["Content-Type"] == "image/svg+xml"
    assert item.find("div > p > strong > a")[0].attributes["href"] == "/Fred"
    assert item.find("div > small")[0].text.startswith("— just now")


@pytest.mark.parametrize("path", ["/login", "/register"])
def test_structure_of_the_forms(web: Service, path: str) -> None:
    page = Visitor(web.url).get(path).page
    [form] = page.find("div.body > form")
    fields = form.find("dl > dd > input")
    assert [label.attributes["for"] for label in form.find("dl > dt > label")] == [
        field.attributes["id"] for field in fields
    ]
    assert [n.attributes["type"] for n in form.find("div.actions > input")] == ["submit"]
    assert not page.find("ul.flashes")


def test_who_is_signed_in_needs_no_form(web: Service) -> None:
    visitor = member(web.url, "Gina")
    for path in ("/login", "/register"):
        assert visitor.raw("GET", path).headers["Location"] == "/"
        assert visitor.form(path, username="x").headers["Location"] == "/"


def test_older_pages_lead_to_every_message_once(web: Service) -> None:
    visitor = member(web.url, "Hugo")
    wanted = [f"Hugo number {number}." for number in range(65, 0, -1)]
    for text in reversed(wanted):
        visitor.form("/add_message", text=text.removeprefix("Hugo "))
    page, read, sizes = visitor.get("/Hugo"), [], []
    while True:
        read += [text for _, text in page.messages]
        sizes.append(len(page.messages))
        older = list(page.page.below("a.older"))
        if not older:
            break
        page = visitor.get(older[0].attributes["href"])
    assert (read, sizes) == (wanted, [30, 30, 5])
    [newest] = page.page.below("a.newest")
    assert visitor.get(newest.attributes["href"]).messages[0][1] == wanted[0]
    assert visitor.get("/Hugo?before=nonsense").status == 400


def test_an_empty_message_is_not_posted(web: Service) -> None:
    visitor = member(web.url, "Ines")
    for text in ("", "  \t ", "\u200b", "\u3164\u00ad", "\u2800 \ufe0f", "\u202e"):
        page = visitor.post("/add_message", text=text)
        assert (page.status, page.messages) == (200, [])
        assert page.flashes == ["There was nothing to post"]


def test_a_message_that_is_too_long_is_kept_in_the_box(web: Service) -> None:
    visitor = member(web.url, "Jane")
    page = visitor.form("/add_message", text="x" * 10_001)
    assert "too long" in page.error
    [form] = page.page.find("div.body > div.twitbox > form")
    assert form.find("input")[0].attributes["value"] == "x" * 10_001
    longest = "\N{GRINNING FACE}" * 10_000
    assert visitor.post("/add_message", text=longest).flashes == ["Your message was recorded"]


def test_errors_are_pages_that_name_the_request(web: Service) -> None:
    visitor = Visitor(web.url)
    for method, path, status in [
        ("GET", "/nobody%20here", 404),
        ("GET", "/nobody/follow", 401),
        ("POST", "/add_message", 401),
        ("GET", "/add_message", 405),
        ("POST", "/public", 405),
        ("GET", "/static/none.css", 404),
        ("GET", "/avatar/zz.svg", 404),
        ("GET", "/%ff%fe", 404),
        ("GET", "/nul%00", 404),
        ("GET", "/" + "x" * 5000, 404),
        ("GET", "//", 404),
    ]:
        page = visitor.raw(method, path, b"" if method == "POST" else None)
        assert page.status == status, (method, path)
        identity = page.headers["X-Request-ID"]
        assert page.page.below("code").__next__().text == identity
    assert member(web.url, "Kurt").get("/nobody/follow").status == 404


def test_password_in_no_log_of_either_service(web: Service, api: Service) -> None:
    member(web.url, "Lena")
    for service in (web, api):
        assert "pass'word" not in service.log_file.read_text()
    assert PASSWORD not in Visitor(web.url).get("/public").html


def test_a_form_as_scripts_send_it(web: Service) -> None:
    visitor = member(web.url, "Kim")
    body = '--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nfrom a script ☃\r\n--x--\r\n'
    kind = "multipart/form-data; boundary=x"
    assert visitor.raw("POST", "/add_message", body.encode(), Content_Type=kind).status == 302
    assert visitor.get("/").messages == [("Kim", "Kim from a script ☃")]


def test_who_posts_on_the_public_page_stays_there(web: Service) -> None:
    visitor = member(web.url, "Lea")
    [form] = visitor.get("/public").page.find("div.body > div.twitbox > form")
    answer = visitor.form(form.attributes["action"], text="here")
    assert answer.headers["Location"] == "/public"
    assert visitor.form("/add_message", text="there").headers["Location"] == "/"


def test_the_cookies_of_the_last_answer_suffice(web: Service) -> None:
    visitor = member(web.url, "Mia")
    kept = set(visitor.cookies)
    visitor.cookies = {}
    visitor.log_in("Mia")  # a redirect, then a page
    assert set(visitor.last) >= kept - {"minitwit_flash"}


def texts(page: Node) -> list[str]:
    """Return the texts of all links except those to authors."""
    authors = [link for messages in page.below("ul.messages") for link in messages.below("a")]
    return [link.text.lower() for link in page.below("a") if link not in authors]


@pytest.mark.parametrize("path", ["/", "/public", "/login", "/register", "/nobody", "/x/follow"])
def test_no_two_links_of_a_page_read_alike(web: Service, path: str) -> None:
    for visitor in (Visitor(web.url), member(web.url, f"Reader of {path}")):
        found = [text for text in texts(visitor.get(path).page) if text]
        for text in found:
            assert sum(text in other for other in found) == 1, (path, text, found)


def test_texts_of_the_classic_page_are_in_one_piece(web: Service) -> None:
    visitor = member(web.url, "Noa")
    Visitor(web.url).register("Other")
    html = visitor.get("/").html
    assert "sign out [Noa]" in html and "What's on your mind Noa?" in html
    visitor.get("/Other/follow")
    assert "Unfollow user</a>." in visitor.get("/Other").html


def test_a_damaged_link_to_older_messages_is_said_in_plain_words(web: Service) -> None:
    page = Visitor(web.url).get("/public?before=garbage")
    assert page.status == 400
    assert "This link to older messages is damaged" in page.html


def test_logo_own_name_and_icon_lead_somewhere(web: Service) -> None:
    visitor = member(web.url, "Ola")
    links = {link.text: link.attributes["href"] for link in visitor.get("/public").page.below("a")}
    assert links["MiniTwit"] == "/" and links["my profile"] == "/Ola"
    icon = visitor.raw("GET", "/favicon.ico")
    assert (icon.status, icon.headers["Content-Type"]) == (200, "image/svg+xml")
