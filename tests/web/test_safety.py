"""What others may try: other sites, forged cookies, broken and huge forms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parts import Service, start_service
from tests.web.visitor import Visitor, member

SESSION = "minitwit_session"
OWN = "minitwit_own_site"  # SameSite=Strict
FLASH = "minitwit_flash"


@pytest.fixture(scope="module")
def victim(web: Service) -> Visitor:
    Visitor(web.url).register("Attacker")
    return member(web.url, "Victim")


ATTACKS = [
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://[broken"},
    {"Sec_Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
]


@pytest.mark.parametrize("headers", ATTACKS)
@pytest.mark.parametrize("path", ["/Attacker/follow", "/Attacker/unfollow", "/logout"])
def test_links_that_change_something_are_refused(
    victim: Visitor, path: str, headers: dict[str, str]
) -> None:
    before = dict(victim.cookies)
    assert victim.raw("GET", path, None, **headers).status == 403
    assert victim.cookies == before
    assert "not yet following" in victim.get("/Attacker").html


@pytest.mark.parametrize("path", ["/Attacker/follow", "/Attacker/unfollow", "/logout"])
def test_a_link_on_another_site_changes_nothing_over_plain_http(victim: Visitor, path: str) -> None:
    """A browser then sends no Fetch Metadata, and only Lax cookies."""
    assert victim.morsels[OWN]["samesite"] == "strict"
    kept = dict(victim.cookies)
    del victim.cookies[OWN]
    assert victim.raw("GET", path).status == 403
    victim.cookies = kept
    assert "not yet following" in victim.get("/Attacker").html


@pytest.mark.parametrize("headers", ATTACKS)
@pytest.mark.parametrize("path", ["/add_message", "/login", "/register"])
def test_forms_of_other_sites_are_refused(
    victim: Visitor, path: str, headers: dict[str, str]
) -> None:
    kind = "application/x-www-form-urlencoded"
    page = victim.raw("POST", path, b"text=forged&username=x", Content_Type=kind, **headers)
    assert page.status == 403
    assert victim.get("/Victim").messages == []


def test_own_pages_and_clients_that_are_no_browser_pass(web: Service) -> None:
    visitor = member(web.url, "Passer")
    own = {"Sec_Fetch_Site": "same-origin", "Origin": f"http://{visitor.host}"}
    for headers in ({}, own, {"Sec_Fetch_Site": "none"}):
        assert visitor.raw("GET", "/Passer/follow", None, **headers).status == 302


def test_head_changes_nothing(victim: Visitor) -> None:
    assert victim.raw("HEAD", "/Attacker/follow").status == 405
    assert "not yet following" in victim.get("/Attacker").html


def part(name: str, value: bytes, end: bytes = b"--x--\r\n") -> bytes:
    """A field of a multipart form."""
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + value + b"\r\n" + end


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"text=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"text=\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"text=nul%00", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=b"] * 50), "application/x-www-form-urlencoded", 400),
        (b"other=" + b"x" * 200_000, "application/x-www-form-urlencoded", 413),
        (b'{"text": "json"}', "application/json", 415),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n\r\n", "multipart/form-data", 400),
        (part("text", b"nul\0"), "multipart/form-data; boundary=x", 400),
        (
            b"".join(part(f"f{n}", b"x", b"") for n in range(50)) + b"--x--\r\n",
            "multipart/form-data; boundary=x",
            400,
        ),
        (part("text", b"x" * 200_000), "multipart/form-data; boundary=x", 400),
        (part('text"; filename="f', b"a file"), "multipart/form-data; boundary=x", 400),
    ],
)
def test_broken_forms_are_refused(victim: Visitor, body: bytes, kind: str, status: int) -> None:
    page = victim.raw("POST", "/add_message", body, Content_Type=kind)
    assert page.status == status
    assert page.page.find("div.body > div.problem")


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(web: Service) -> None:
    visitor = member(web.url, "Careful")
    for name in (SESSION, FLASH):
        morsel = visitor.morsels[name]
        assert (morsel["httponly"], morsel["samesite"].lower()) == (True, "lax")
        assert not morsel["secure"]


@pytest.fixture
def secure_web(api: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("secure")
    with start_service("web", folder, API_URL=api.url, SECURE_COOKIES="1") as service:
        yield service


def test_behind_tls_cookies_are_secure_and_of_this_host(secure_web: Service) -> None:
    visitor = member(secure_web.url, "Tls")
    assert set(visitor.morsels) == {f"__Host-{SESSION}", f"__Host-{OWN}", f"__Host-{FLASH}"}
    assert all(morsel["secure"] and morsel["path"] == "/" for morsel in visitor.morsels.values())


@pytest.mark.parametrize("token", ["stale", "no/token?", '"quoted; x"', "x" * 4000])
def test_a_stale_session_is_forgotten(web: Service, token: str) -> None:
    visitor = Visitor(web.url)
    for path, status in (("/", 302), ("/public", 200), ("/login", 200), ("/x/follow", 401)):
        visitor.cookies = {SESSION: token, OWN: "1"}
        assert visitor.raw("GET", path).status == status, path
        if token == "stale":
            assert SESSION not in visitor.cookies, path
    visitor.register("Stale")
    visitor.cookies = {SESSION: token}
    assert visitor.log_in("Stale").flashes == ["You were logged in"]


def test_a_forged_flash_is_not_said(web: Service) -> None:
    visitor = Visitor(web.url)
    visitor.cookies = {FLASH: "WyJnaXZlIG1lIHlvdXIgcGFzc3dvcmQiXQ.aaaa.bbbb"}
    page = visitor.get("/public")
    assert page.flashes == []
    assert FLASH not in visitor.cookies


def test_headers_of_every_kind_of_answer(web: Service, victim: Visitor) -> None:
    css = victim.get("/").html.partition('rel="stylesheet" href="')[2].partition('"')[0]
    caching = {
        "/": "no-store",
        "/public": "no-store",
        "/login": "no-store",
        "/nobody": "no-store",
        css: "public, max-age=31536000, immutable",
        "/static/style.css?v=old": "public, max-age=3600",
        "/avatar/0123456789abcdef.svg": "public, max-age=31536000, immutable",
    }
    for path, expected in caching.items():
        headers = victim.raw("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cache-Control"] == expected, path


def test_nothing_in_a_page_comes_from_elsewhere(victim: Visitor) -> None:
    for path in ("/", "/public", "/login", "/register", "/nobody"):
        html = victim.get(path).html
        for element in ("<script", "<style", " style=", " onclick", "//"):
            assert element not in html.replace("<!doctype html>", ""), (path, element)
