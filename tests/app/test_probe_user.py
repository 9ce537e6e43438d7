"""The probe user: a real user, isolated from all others."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from app.services.accounts import ACCOUNT_FAILURES, NETWORK_FAILURES
from observability import catalog
from tests.app.test_contract import AUTHORIZATION
from tests.parts import Service, start_service, wait_for

NAME, PASSWORD = "the probe/user", "correct horse battery"


@pytest.fixture(scope="module")
def api(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An api with a probe user, whose name was taken in its database before."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO users (username, email, pw_hash) VALUES (%s, 'a@b', 'x')", (NAME,)
        )
    folder = tmp_path_factory.mktemp("api")
    with start_service(
        "api", folder, PROBE_USER=NAME, PROBE_PASSWORD=PASSWORD, DATABASE_URL=database_url
    ) as service:
        wait_for("the probe user", lambda: log_in(service) == 200)
        yield service


def log_in(api: Service, name: str = NAME, password: str = PASSWORD) -> int:
    return api.send("POST", "/api/sessions", {"username": name, "password": password}).status


def post(api: Service, name: str = "the%20probe%2Fuser", text: str = "still there") -> int:
    answer = api.send("POST", f"/msgs/{name}", {"content": text}, Authorization=AUTHORIZATION)
    return answer.status


def test_it_is_counted_nowhere(api: Service) -> None:
    for metric in (catalog.LOGINS, catalog.MESSAGES, catalog.REGISTRATIONS):
        assert api.metric(metric.name, outcome="ok") == 0
    assert log_in(api) == 200
    assert post(api) == 204
    assert post(api, text="") == 400
    for metric in (catalog.LOGINS, catalog.MESSAGES):
        assert api.metric(metric.name, outcome="ok") == 0
    assert api.metric(catalog.MESSAGES.name, outcome="invalid") == 0
    assert api.metric(catalog.HTTP_REQUESTS.name, route="/msgs/{username}", status="204") == 1


def test_its_messages_are_in_no_list_and_are_deleted(api: Service, database_url: str) -> None:
    assert post(api) == 204
    with psycopg.connect(database_url, autocommit=True) as connection:
        before = connection.execute("UPDATE messages SET pub_date = 1").rowcount
        assert before >= 1
        assert post(api, text="the newest") == 204
        assert connection.execute("SELECT text FROM messages").fetchall() == [("the newest",)]
    assert api.get("/api/timelines/public").json()["messages"] == []
    assert api.get("/msgs", Authorization=AUTHORIZATION).json() == []
    assert api.get("/msgs/the%20probe%2Fuser", Authorization=AUTHORIZATION).json() == []


def test_its_sessions_are_short(api: Service, database_url: str) -> None:
    assert log_in(api) == 200
    with psycopg.connect(database_url) as connection:
        [longest] = connection.execute(
            "SELECT max(expires_at) < now() + interval '2 minutes' FROM sessions"
        ).fetchone() or (None,)
    assert longest is True


def test_active_users_are_those_who_posted_or_logged_in(api: Service) -> None:
    person = {"username": "ada", "email": "a@b", "pwd": "secret"}
    assert api.send("POST", "/register", person).status == 204
    assert api.metric(catalog.ACTIVE_USERS.name) == 0, "the probe user does not count"
    assert post(api, "ada") == 204
    wait_for("one active user", lambda: api.metric(catalog.ACTIVE_USERS.name) == 1)
    wait_for("its row", lambda: api.metric(catalog.ROWS.name, table="users") >= 1)


def test_only_its_own_password_gets_past_the_throttle(api: Service) -> None:
    for _ in range(max(ACCOUNT_FAILURES, 1) + 2):
        status = log_in(api, password="wrong")
    assert status == 429, "guesses of its password are throttled"
    assert log_in(api) == 200
    assert log_in(api, password="wrong") == 429, "a success does not reset the count of guesses"
    for number in range(NETWORK_FAILURES):
        log_in(api, f"nobody{number}")
    assert log_in(api, "ada", "secret") == 429
    assert log_in(api) == 200, "the whole address is throttled, but not the probe"
