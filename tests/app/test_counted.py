"""Each thing that happens is counted once, under its own labels and no others."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.services.accounts import ACCOUNT_FAILURES
from observability import catalog as c
from tests.app.test_contract import AUTHORIZATION
from tests.parts import PATIENCE, Service, wait_for

ANN: dict[str, Any] = {"username": "ann", "email": "a@b", "pwd": "secret"}
BOB = {**ANN, "username": "bob"}
GOOD, BAD = {"username": "ann", "password": "secret"}, {"username": "ann", "password": "x"}
NOBODY = {"username": "nobody", "password": "x"}
NUMBERS = itertools.count()
COUNTED = (c.REGISTRATIONS, c.LOGINS, c.MESSAGES, c.FOLLOWS)
# In this order: path, body, then the metric that grows by one and its labels.
STEPS: tuple[tuple[str, object, c.Metric, tuple[str, ...]], ...] = (
    ("/register", ANN, c.REGISTRATIONS, ("ok",)),
    ("/register", BOB, c.REGISTRATIONS, ("ok",)),
    ("/register", ANN, c.REGISTRATIONS, ("username_taken",)),
    ("/register", {**ANN, "pwd": ""}, c.REGISTRATIONS, ("invalid",)),
    ("/api/sessions", GOOD, c.LOGINS, ("ok",)),
    ("/api/sessions", BAD, c.LOGINS, ("wrong_password",)),
    ("/api/sessions", NOBODY, c.LOGINS, ("unknown_user",)),
    ("/msgs/ann", {"content": "hello"}, c.MESSAGES, ("ok",)),
    ("/msgs/nobody", {"content": "hello"}, c.MESSAGES, ("unknown_author",)),
    ("/msgs/ann", {"content": ""}, c.MESSAGES, ("invalid",)),
    ("/fllws/ann", {"follow": "bob"}, c.FOLLOWS, ("follow", "changed")),
    ("/fllws/ann", {"follow": "bob"}, c.FOLLOWS, ("follow", "unchanged")),
    ("/fllws/ann", {"follow": "nobody"}, c.FOLLOWS, ("follow", "unknown_user")),
    ("/fllws/ann", {"unfollow": "bob"}, c.FOLLOWS, ("unfollow", "changed")),
    ("/fllws/ann", {"unfollow": "bob"}, c.FOLLOWS, ("unfollow", "unchanged")),
    ("/fllws/ann", {"unfollow": "nobody"}, c.FOLLOWS, ("unfollow", "unknown_user")),
)
Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(service: Service, *metrics: c.Metric, part: str = "") -> Samples:
    """Return the samples of these metrics by name and label values."""
    names = {metric.name + part: metric for metric in metrics}
    text = service.get("/metrics").body.decode()
    return {
        (
            names[one.name].name,
            tuple(one.labels.get(name, "") for name in names[one.name].label_names),
        ): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name in names
    }


def grown(before: Samples, after: Samples) -> Samples:
    """Return by how much each sample has grown, without those that have not."""
    return {key: more for key, value in after.items() if (more := value - before.get(key, 0))}


def send(api: Service, path: str, body: object) -> int:
    return api.send("POST", path, body, Authorization=AUTHORIZATION).status


def test_each_outcome_is_counted_once_and_alone(api: Service) -> None:
    for path, body, metric, values in STEPS:
        before = samples(api, *COUNTED)
        send(api, path, body)
        assert grown(before, samples(api, *COUNTED)) == {(metric.name, values): 1}, (path, body)


def test_a_throttled_login_is_counted_once(api: Service) -> None:
    guess = {"username": "carl", "password": "x"}
    send(api, "/register", {**ANN, "username": "carl"})
    for _ in range(ACCOUNT_FAILURES):
        send(api, "/api/sessions", guess)
    before = samples(api, *COUNTED)
    assert send(api, "/api/sessions", guess) == 429
    assert grown(before, samples(api, *COUNTED)) == {(c.LOGINS.name, ("throttled",)): 1}


def test_a_statement_is_observed_once(api: Service) -> None:
    send(api, "/register", {**ANN, "username": "dora"})
    before = samples(api, c.DB_QUERY_DURATION, part="_count")
    send(api, "/msgs/dora", {"content": "hello"})
    after = samples(api, c.DB_QUERY_DURATION, part="_count")
    posted = {k: more for k, more in grown(before, after).items() if "message" in k[1][0]}
    assert list(posted.values()) == [1]


def test_a_request_is_in_flight_until_it_ends_and_a_line_is_counted_once(api: Service) -> None:
    before = samples(api, c.LOG_RECORDS, c.HTTP_REQUESTS)
    send(api, "/msgs/nobody", {"content": "hello"})

    def logged() -> Samples:
        found = samples(api, c.LOG_RECORDS, c.HTTP_REQUESTS)
        return {k: more for k, more in grown(before, found).items() if "/metrics" not in k[1]}

    key = (c.HTTP_REQUESTS.name, ("POST", "/msgs/{username}", "404"))
    assert wait_for("the request", logged)[key] == 1
    assert samples(api, c.HTTP_IN_PROGRESS)[c.HTTP_IN_PROGRESS.name, ()] in (0, 1)


def test_gauges_say_what_is(api: Service) -> None:
    send(api, "/register?latest=4711", {**ANN, "username": "eve"})
    key = (c.SIMULATOR_LATEST.name, ())
    wait_for("the latest id", lambda: samples(api, c.SIMULATOR_LATEST)[key] == 4711)
    found = samples(api, c.SIMULATOR_LATEST_TIME, c.READY, c.DB_POOL_LIMIT, c.BUILD_INFO)
    assert found[c.SIMULATOR_LATEST_TIME.name, ()] > 1.7e9
    assert found[c.READY.name, ()] == 1
    assert found[c.DB_POOL_LIMIT.name, ()] > 1
    assert [value for key, value in found.items() if key[0] == c.BUILD_INFO.name] == [1]


def test_the_latest_id_is_that_of_all_replicas(api: Service, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as session:
        session.execute("SELECT setval('simulator_latest', 4712)")
    key = (c.SIMULATOR_LATEST.name, ())
    wait_for("another replica's", lambda: samples(api, c.SIMULATOR_LATEST)[key] == 4712)


def test_a_statement_that_fails_is_counted_once(api: Service, database_url: str) -> None:
    for body in (ANN, BOB):
        send(api, "/register", body)
    before = samples(api, c.DB_ERRORS)
    with psycopg.connect(database_url, autocommit=True) as session:
        # A table without its name would fail api's own periodic statements as well.
        session.execute("ALTER TABLE follows ADD CONSTRAINT nobody CHECK (false) NOT VALID")
        assert send(api, "/fllws/ann", {"follow": "bob"}) == 500
        session.execute("ALTER TABLE follows DROP CONSTRAINT nobody")
    assert grown(before, samples(api, c.DB_ERRORS)) == {(c.DB_ERRORS.name, ("statement",)): 1}


def test_registrations_that_wait_to_be_hashed_are_seen(api: Service) -> None:
    def waiting() -> bool:
        names = [{**ANN, "username": f"queued {next(NUMBERS)}"} for _ in range(12)]
        posts = [pool.submit(send, api, "/register", body) for body in names]
        seen = False
        while not all(one.done() for one in posts):
            seen = seen or samples(api, c.HASHES_WAITING)[c.HASHES_WAITING.name, ()] > 0
        return seen

    with ThreadPoolExecutor(12) as pool:
        wait_for("some that wait", waiting)


def test_the_pool_s_connections_are_idle_while_nothing_is_asked(api: Service) -> None:
    def idle() -> bool:
        found = samples(api, c.DB_POOL_CONNECTIONS)
        states = {key[1][0]: value for key, value in found.items()}
        return states["idle"] > 0 and states["busy"] == 0

    wait_for("an idle pool", idle)


@pytest.mark.parametrize("metric", [c.ACTIVE_USERS, c.EVENT_LOOP_LAG], ids=lambda one: one.name)
def test_what_is_measured_now_and_then_is(api: Service, metric: c.Metric) -> None:
    send(api, "/register", {**ANN, "username": "fay"})
    send(api, "/api/sessions", {"username": "fay", "password": "secret"})
    part = "_count" if metric.kind == "histogram" else ""
    wait_for(metric.name, lambda: samples(api, metric, part=part)[metric.name, ()] > 0)


def test_the_latest_backup_and_the_tables_are_measured(api: Service, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as session:
        session.execute("INSERT INTO backups VALUES (now(), 4711)")
        # As noted by a clock that was ahead: an age below the alert's limit for too long.
        session.execute("INSERT INTO backups VALUES (now() + interval '1 day', 4712)")
    send(api, "/register", {**ANN, "username": "gus"})
    for metric, labels in ((c.BACKUP_SIZE, ()), (c.BACKUP_TIME, ()), (c.ROWS, ("users",))):
        key = (metric.name, labels)
        wait_for(str(key), lambda key=key, metric=metric: samples(api, metric).get(key))  # type: ignore[misc]
    found = samples(api, c.BACKUP_SIZE, c.BACKUP_TIME)
    assert found[c.BACKUP_SIZE.name, ()] == 4711
    assert 0 <= time.time() - found[c.BACKUP_TIME.name, ()] < PATIENCE * 2
