"""What the web service gets from api: sessions, timelines, acting as someone."""

from __future__ import annotations

from urllib.parse import quote

from tests.app.test_contract import refusal
from tests.parts import Answer, Service


def join(api: Service, name: str) -> str:
    """Register and log in; the token."""
    api.send("POST", "/register", {"username": name, "email": "a@b", "pwd": "secret"})
    answer = api.send("POST", "/api/sessions", {"username": name, "password": "secret"})
    assert answer.status == 200
    assert answer.json()["username"] == name
    token: str = answer.json()["token"]
    return token


def as_user(api: Service, token: str, method: str, path: str, body: object = None) -> Answer:
    return api.send(method, path, body, Authorization=f"Bearer {token}")


def test_log_in_says_which_was_wrong(api: Service) -> None:
    join(api, "log in")
    for username, password, text in (
        ("who", "secret", "Invalid username"),
        ("log in", "wrong", "Invalid password"),
        ("log in", None, "Invalid password"),
        (None, None, "Invalid username"),
    ):
        answer = api.send("POST", "/api/sessions", {"username": username, "password": password})
        assert refusal(answer) == {"status": 401, "error_msg": text}


def test_a_session_ends_at_log_out(api: Service) -> None:
    token = join(api, "in and out")
    assert as_user(api, token, "GET", "/api/timelines/home").status == 200
    assert as_user(api, token, "DELETE", "/api/session").status == 204
    for method, path in (
        ("GET", "/api/timelines/home"),
        ("POST", "/api/messages"),
        ("PUT", "/api/follows/x"),
        ("DELETE", "/api/follows/x"),
    ):
        assert as_user(api, token, method, path, {}).status == 401
    assert as_user(api, token, "GET", "/api/timelines/public").json()["viewer"] is None


def test_the_token_is_not_in_the_database(api: Service, database_url: str) -> None:
    import psycopg

    token = join(api, "hashed")
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT token_hash FROM sessions").fetchall()
    assert stored
    assert all(token.encode() not in row[0] for row in stored)


def test_home_shows_own_and_followed_messages_and_profiles_say_who_follows(api: Service) -> None:
    one, two, three = (join(api, f"home {n}") for n in (1, 2, 3))
    for token, text in ((one, "from one"), (two, "from two"), (three, "from three")):
        assert as_user(api, token, "POST", "/api/messages", {"text": text}).status == 204
    path = f"/api/follows/{quote('home 2')}"
    assert as_user(api, one, "PUT", path).status == 204
    home = as_user(api, one, "GET", "/api/timelines/home").json()
    assert [m["text"] for m in home["messages"]] == ["from two", "from one"]
    assert home["viewer"] == "home 1"

    def profile(name: str) -> object:
        answer = as_user(api, one, "GET", f"/api/timelines/user/{quote(name)}").json()
        return answer["viewer"], answer["profile"], answer["following"]

    assert profile("home 2") == ("home 1", "home 2", True)
    assert profile("home 3") == ("home 1", "home 3", False)
    assert as_user(api, one, "DELETE", path).status == 204
    assert profile("home 2") == ("home 1", "home 2", False)
    assert as_user(api, one, "PUT", "/api/follows/nobody").status == 404
    assert as_user(api, one, "GET", "/api/timelines/user/nobody").status == 404


def test_every_message_is_on_exactly_one_page(api: Service) -> None:
    token = join(api, "pager")
    texts = [str(number) for number in range(75)]
    for number, text in enumerate(texts):
        if number == 30:  # a page that is full is not one that has another behind it
            page = as_user(api, token, "GET", "/api/timelines/home").json()
            assert (len(page["messages"]), page["older"]) == (30, None)
        as_user(api, token, "POST", "/api/messages", {"text": text})
    for path in ("/api/timelines/user/pager", "/api/timelines/home"):
        seen, sizes, cursor = [], [], ""
        while cursor is not None:
            page = as_user(api, token, "GET", f"{path}?before={cursor}").json()
            seen += [message["text"] for message in page["messages"]]
            sizes.append(len(page["messages"]))
            cursor = page["older"]
        assert seen == texts[::-1]
        assert sizes == [30, 30, 15]
    assert api.get("/api/timelines/public?before=nonsense").status == 400
    assert api.get("/api/timelines/public?before=1." + "9" * 30).status == 400
