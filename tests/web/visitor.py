"""A client that sends paths and bodies exactly as given, keeps cookies, and reads HTML."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlencode, urlsplit

from tests.parts import PATIENCE

PASSWORD = "a pass'word\\"
VOID = frozenset(("img", "input", "link", "meta"))


class Node:
    """An element: tag, attributes, children (elements and texts)."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node | str] = []

    @property
    def text(self) -> str:
        """All text below, with white space collapsed."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            yield from [child] if isinstance(child, str) else child._texts()

    def find(self, path: str) -> list[Node]:
        """Elements by a path of ``tag``, ``.class`` and ``tag.class``, each a child of the last."""
        found = [self]
        for step in path.split(" > "):
            found = [n for f in found for n in f.children if isinstance(n, Node) and n.is_a(step)]
        return found

    def below(self, step: str) -> Iterator[Node]:
        """Every element below that is ``step``."""
        for child in self.children:
            if isinstance(child, Node):
                if child.is_a(step):
                    yield child
                yield from child.below(step)

    def is_a(self, step: str) -> bool:
        tag, _, css_class = step.partition(".")
        mine = self.attributes.get("class", "").split()
        return (not tag or tag == self.tag) and (not css_class or css_class in mine)


class Parser(HTMLParser):
    """Builds the tree; a tag that is closed out of order is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = Node("", {})
        self._open = [self.root]
        self.feed(html)
        self.close()
        assert self._open == [self.root], f"never closed: {[n.tag for n in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"</{tag}> out of order"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


@dataclass
class Page:
    """An answer of the web service."""

    status: int
    headers: http.client.HTTPMessage
    html: str

    @property
    def page(self) -> Node:
        """The ``body > div.page`` of a well-formed document."""
        [page] = Parser(self.html).root.find("html > body > div.page")
        return page

    @property
    def flashes(self) -> list[str]:
        return [li.text for li in self.page.find("ul.flashes > li")]

    @property
    def error(self) -> str:
        return " ".join(node.text for node in self.page.below("div.error"))

    @property
    def messages(self) -> list[tuple[str, str]]:
        """(author, the paragraph with author and text) of each message."""
        items = self.page.find("div.body > ul.messages > li > div > p")
        return [(p.find("strong > a")[0].text, p.text) for p in items]


class Visitor:
    """Someone with cookies. ``cookies`` may be read and changed by tests."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc
        self.cookies: dict[str, str] = {}
        self.morsels: dict[str, Morsel[str]] = {}  # as they were last set
        self.last: dict[str, str] = {}  # those that the last answer set

    def raw(self, method: str, path: str, body: bytes | None = None, /, **headers: str) -> Page:
        """One request, exactly; a redirect is an answer like any other."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            self._keep(response.headers.get_all("Set-Cookie") or [])
            return Page(response.status, response.headers, response.read().decode())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Page:
        """GET, following redirects."""
        return self._follow(self.raw("GET", path, None, **headers))

    def post(self, path: str, **fields: str) -> Page:
        """Send a form, following redirects."""
        return self._follow(self.form(path, **fields))

    def form(self, path: str, **fields: str) -> Page:
        """Send a form."""
        body = urlencode(fields).encode()
        return self.raw("POST", path, body, Content_Type="application/x-www-form-urlencoded")

    def register(self, name: str) -> Page:
        return self.post(
            "/register", username=name, email="a@b.c", password=PASSWORD, password2=PASSWORD
        )

    def log_in(self, name: str, password: str = PASSWORD) -> Page:
        return self.post("/login", username=name, password=password)

    def _follow(self, page: Page) -> Page:
        for _ in range(5):
            if page.status != 302:
                return page
            page = self.raw("GET", page.headers["Location"])
        raise AssertionError("redirected in circles")

    def _keep(self, lines: list[str]) -> None:
        self.last = {}
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                self.morsels[name] = morsel
                self.last[name] = morsel.value
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def member(url: str, name: str) -> Visitor:
    """Someone registered and logged in."""
    visitor = Visitor(url)
    visitor.register(name)
    page = visitor.log_in(name)
    assert page.flashes == ["You were logged in"], page.html
    return visitor
