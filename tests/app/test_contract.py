"""The simulator's contract, against the real service and a real PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.parts import Answer, PostgresServer, Service, start_service

AUTHORIZATION = "Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh"


class Replicas(Service):
    """Several replicas behind one face, taking turns: what one was told, the next must know."""

    def __init__(self, replicas: list[Service]) -> None:
        super().__init__(**vars(replicas[0]))
        self._turns = cycle(replicas)

    def get(self, path: str, **headers: str) -> Answer:
        return next(self._turns).get(path, **headers)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        return next(self._turns).send(method, path, body, **headers)


@pytest.fixture(scope="module", params=[1, 3], ids=["alone", "three replicas"])
def api(
    request: pytest.FixtureRequest,
    postgres_server: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """The api, or as many of it, on a database of their own."""
    url = postgres_server.create_database(f"contract{request.param}")
    folder = tmp_path_factory.mktemp("contract")
    with ExitStack() as stack:
        yield Replicas(
            [
                stack.enter_context(start_service("api", folder, DATABASE_URL=url))
                for _ in range(request.param)
            ]
        )


def call(api: Service, method: str, path: str, body: object = None) -> Answer:
    """As the simulator does, with its credentials."""
    return api.send(method, path, body, Authorization=AUTHORIZATION)


def register(api: Service, name: str, query: str = "") -> Answer:
    body = {"username": name, "email": "a@b.c", "pwd": "'\"\\"}
    return api.send("POST", f"/register{query}", body)


def refusal(answer: Answer) -> object:
    """Return the error body without its request id, which must equal the header's."""
    body = answer.json()
    assert body.pop("request_id") == answer.headers["x-request-id"]
    return body


def path(kind: str, name: str, query: str = "") -> str:
    return f"/{kind}/{quote(name, safe='')}{query}"


def latest(api: Service) -> int:
    value: int = api.get("/latest").json()["latest"]
    return value


def test_latest_is_minus_one_before_any(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.create_database("fresh")
    with start_service("api", tmp_path, DATABASE_URL=url) as fresh:
        assert fresh.get("/latest").json() == {"latest": -1}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "You have to enter a username"),
        ({"username": "", "email": "a@b", "pwd": "x"}, "You have to enter a username"),
        ({"username": 7, "email": "a@b", "pwd": "x"}, "You have to enter a username"),
        ({"username": "u", "email": "", "pwd": "x"}, "You have to enter a valid email address"),
        ({"username": "u", "email": "ab", "pwd": "x"}, "You have to enter a valid email address"),
        ({"username": "u", "email": "a@b", "pwd": ""}, "You have to enter a password"),
        ({"username": "u", "email": "a@b"}, "You have to enter a password"),
    ],
)
def test_register_says_what_is_missing(api: Service, body: object, complaint: str) -> None:
    answer = api.send("POST", "/register", body)
    assert answer.status == 400
    assert refusal(answer) == {"status": 400, "error_msg": complaint}


def test_register_needs_no_authorization_and_takes_a_name_once(api: Service) -> None:
    first = register(api, "Once Only")
    assert (first.status, first.body) == (204, b"")
    second = register(api, "Once Only")
    assert refusal(second) == {"status": 400, "error_msg": "The username is already taken"}


def test_messages_newest_first_with_author_and_epoch(api: Service) -> None:
    register(api, "Ann Writer")
    for text in ("first", "second ☃ 😀", "<b>third</b>"):
        posted = call(api, "POST", path("msgs", "Ann Writer"), {"content": text})
        assert (posted.status, posted.body) == (204, b"")
    own = call(api, "GET", path("msgs", "Ann Writer")).json()
    assert [message["content"] for message in own] == ["<b>third</b>", "second ☃ 😀", "first"]
    assert {message["user"] for message in own} == {"Ann Writer"}
    assert all(isinstance(message["pub_date"], int) for message in own)
    assert call(api, "GET", "/msgs?no=2").json() == own[:2]


@pytest.mark.parametrize(
    ("no", "count"),
    [
        ("0", 0),
        ("3", 3),
        ("abc", 100),
        ("", 100),
        ("-5", 105),
        ("-1", 105),
        ("99999999999999999999", 105),
    ],
)
def test_no_is_capped_and_never_an_error(api: Service, no: str, count: int) -> None:
    if register(api, "Prolific One").status == 204:
        for number in range(105):
            call(api, "POST", path("msgs", "Prolific One"), {"content": str(number)})
    answer = call(api, "GET", path("msgs", "Prolific One", f"?no={no}"))
    assert (answer.status, len(answer.json())) == (200, count)


@pytest.mark.parametrize("kind", ["msgs", "fllws"])
def test_strangers_are_404(api: Service, kind: str) -> None:
    body = {"content": "x", "follow": "nobody at all"}
    for answer in (
        call(api, "GET", path(kind, "nobody at all")),
        call(api, "POST", path(kind, "nobody at all"), body),
    ):
        assert answer.status == 404
        assert answer.json()["status"] == 404


@pytest.mark.parametrize(
    "request_line", ["GET /msgs", "GET /msgs/x", "POST /msgs/x", "GET /fllws/x", "POST /fllws/x"]
)
@pytest.mark.parametrize("given", ["", "Basic bm9ib2R5Om5vdGhpbmc=", "Bearer x", "Basic é"])
def test_without_credentials_403(api: Service, request_line: str, given: str) -> None:
    method, _, where = request_line.partition(" ")
    answer = api.send(method, where, {} if method == "POST" else None, Authorization=given)
    assert refusal(answer) == {
        "status": 403,
        "error_msg": "You are not authorized to use this resource!",
    }
    assert answer.status == 403


def test_follow_and_unfollow_repeat_without_error(api: Service) -> None:
    register(api, "Ed Follower")
    register(api, "Flo Followed")

    def change(body: dict[str, str]) -> int:
        return call(api, "POST", path("fllws", "Ed Follower"), body).status

    def follows() -> list[str]:
        names: list[str] = call(api, "GET", path("fllws", "Ed Follower")).json()["follows"]
        return names

    assert change({"unfollow": "Flo Followed"}) == 204
    assert [change({"follow": "Flo Followed"}) for _ in range(3)] == [204, 204, 204]
    assert follows() == ["Flo Followed"]
    assert change({"follow": "Ed Follower"}) == 204
    assert follows().count("Ed Follower") <= 1
    assert change({"follow": "nobody"}) == 404
    assert change({"unfollow": "nobody"}) == 404
    assert change({}) == 400
    assert [change({"unfollow": "Flo Followed"}) for _ in range(2)] == [204, 204]
    assert "Flo Followed" not in follows()


def test_latest_is_recorded_whatever_becomes_of_the_request(api: Service) -> None:
    register(api, "Lat Est")
    steps: list[tuple[int, Callable[[str], Answer], int]] = [
        (201, lambda q: register(api, "", q), 400),
        (202, lambda q: register(api, "Lat Est", q), 400),
        (203, lambda q: api.get("/msgs" + q), 403),
        (204, lambda q: call(api, "GET", path("msgs", "no one", q)), 404),
        (205, lambda q: call(api, "POST", path("msgs", "no one", q), {"content": "x"}), 404),
        (206, lambda q: call(api, "POST", path("msgs", "Lat Est", q), b"no json"), 400),
        (207, lambda q: call(api, "POST", path("fllws", "Lat Est", q), {"follow": "no"}), 404),
        (208, lambda q: call(api, "GET", path("fllws", "Lat Est", q)), 200),
        (209, lambda q: call(api, "POST", path("msgs", "Lat Est", q), {"content": "x"}), 204),
        (210, lambda q: call(api, "GET", "/msgs" + q), 200),
        (17, lambda q: call(api, "GET", "/msgs" + q), 200),  # it may go down
        (0, lambda q: call(api, "GET", "/msgs" + q), 200),
    ]
    for number, step, status in steps:
        assert step(f"?latest={number}").status == status
        assert latest(api) == number


@pytest.mark.parametrize("value", ["-1", "abc", "", "1.5", "1e3", "9" * 30, "%F0%9F%98%80", "٣"])
def test_latest_ignores_what_is_no_number(api: Service, value: str) -> None:
    call(api, "GET", "/msgs?latest=42")
    assert call(api, "GET", f"/msgs?latest={quote(value, safe='%')}").status == 200
    assert latest(api) == 42


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[]", b'"text"', b"null", b"\xff\xfe", b"[" * 20_000, b'{"content":null}',
     b'{"content":""}', b'{"content":7}', b'{"content":"\\u0000"}', b'{"content":"\\ud800"}'],
)  # fmt: skip
def test_bad_bodies_are_400_in_the_pinned_shape(api: Service, body: bytes) -> None:
    register(api, "Bo Dy")
    answer = call(api, "POST", path("msgs", "Bo Dy"), body)
    assert answer.status == 400
    assert answer.json().keys() == {"status", "error_msg", "request_id"}
    assert call(api, "GET", path("msgs", "Bo Dy")).json() == []


def test_a_body_too_large_is_413(api: Service) -> None:
    answer = api.send("POST", "/register", b'{"username":"' + b"x" * 100_000 + b'"}')
    assert (answer.status, answer.json()["status"]) == (413, 413)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_is_parsed_whatever_the_content_type(api: Service, content_type: str) -> None:
    name = f"Type {content_type}"
    body = {"username": name, "email": "a@b", "pwd": "x"}
    assert api.send("POST", "/register", body, Content_Type=content_type).status == 204


@pytest.mark.parametrize(
    "name", ["a/b", "a b", "ä/ö?#%", "..", "😀", "a%2Fb", "x'; DROP TABLE users;--"]
)
def test_any_name_makes_the_round_trip(api: Service, name: str) -> None:
    assert register(api, name).status == 204
    assert call(api, "POST", path("msgs", name), {"content": name}).status == 204
    assert call(api, "GET", path("msgs", name)).json()[0]["user"] == name


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_impossible_names_are_refused_plainly(api: Service, name: str) -> None:
    assert register(api, name).status == 400
    assert call(api, "GET", path("msgs", name)).status == 404


def test_unknown_paths_and_methods_have_the_pinned_shape(api: Service) -> None:
    for answer, status in ((api.get("/nothing"), 404), (api.send("PUT", "/msgs"), 405)):
        assert (answer.status, answer.json()["status"]) == (status, status)
        refusal(answer)


def test_every_answer_carries_a_request_id_and_keeps_a_given_one(api: Service) -> None:
    assert api.get("/latest").headers["x-request-id"]
    assert api.get("/latest", X_Request_ID="mine-1234").headers["x-request-id"] == "mine-1234"
    assert "\n" not in api.get("/latest", X_Request_ID="a b").headers["x-request-id"]


def test_json_has_no_blanks_like_that_of_the_reference(api: Service) -> None:
    register(api, "Compact One")
    call(api, "POST", path("msgs", "Compact One"), {"content": "a: b, c"})
    body = call(api, "GET", path("msgs", "Compact One")).body
    assert re.fullmatch(rb'\[{"content":"a: b, c","pub_date":\d+,"user":"Compact One"}\]', body)
    call(api, "POST", path("fllws", "Compact One"), {"follow": "Compact One"})
    assert call(api, "GET", path("fllws", "Compact One")).body == b'{"follows":["Compact One"]}'


def test_follows_are_listed_in_the_order_followed(api: Service) -> None:
    names = ["In Order", "Zed", "Amy", "Mo"]
    for name in names:
        register(api, name)
    where = path("fllws", "In Order")
    for name in names[1:]:
        assert call(api, "POST", where, {"follow": name}).status == 204
    assert call(api, "GET", where).json() == {"follows": names[1:]}
    assert call(api, "GET", where + "?no=2").json() == {"follows": names[1:3]}
    call(api, "POST", where, {"unfollow": "Zed"})
    call(api, "POST", where, {"follow": "Zed"})
    assert call(api, "GET", where).json() == {"follows": ["Amy", "Mo", "Zed"]}
