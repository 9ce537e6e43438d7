"""A dead, hanging or saturated database: quick plain answers, and recovery without a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from app.database.pool import ADMITTED_PER_CONNECTION
from tests.app.test_contract import call, path, register
from tests.parts import (
    FOREIGN_PG,
    PATIENCE,
    ROOT,
    Answer,
    PostgresServer,
    Service,
    free_port,
    postgres_server,
    request,
    start_service,
    wait_for,
)


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A server that these tests may break."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="module")
def patient(
    own_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    url = own_server.create_database("patient")
    folder = tmp_path_factory.mktemp("patient")
    # What a shell says of other databases is not for this one.
    with start_service(
        "api", folder, DATABASE_URL=url, **FOREIGN_PG,
        POOL_SIZE="2", POOL_TIMEOUT="0.25", STATEMENT_TIMEOUT="2",
    ) as service:  # fmt: skip
        wait_for("survivor", lambda: register(service, "survivor").status in (204, 400))
        yield service


def post(service: Service, text: str = "x") -> Answer:
    return call(service, "POST", path("msgs", "survivor"), {"content": text})


def posted(service: Service, text: str = "x") -> bool:
    return post(service, text).status == 204


def listed(service: Service) -> list[dict[str, object]] | None:
    """The messages, the newest first; None while the service does not serve."""
    answer = call(service, "GET", path("msgs", "survivor"))
    return list(answer.json()) if answer.status == 200 else None


def errors(service: Service) -> dict[str, float]:
    """The failed statements by kind; ``unavailable`` are those that did not wait."""
    kinds = ("unavailable", "pool_exhausted", "timeout")
    return {kind: service.metric("minitwit_db_errors_total", kind=kind) for kind in kinds}


def test_text_arrives_whatever_encoding_the_shell_names(patient: Service) -> None:
    text = "Grüße \N{GRINNING FACE} \N{SNOWMAN}"
    wait_for("a post", lambda: posted(patient, text))
    assert wait_for("the list", lambda: listed(patient))[0]["content"] == text


def test_a_database_that_cannot_hold_unicode_is_refused(own_server: PostgresServer) -> None:
    url = own_server.create_database("plain")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'"
            " TEMPLATE template0"
        )
    done = subprocess.run(
        [sys.executable, "-m", "app", "migrate"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url.rpartition("/")[0] + "/ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "SQL_ASCII" in done.stderr and "ENCODING 'UTF8'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_read_only_database_is_unavailable_for_writes_alone(
    patient: Service, own_server: PostgresServer
) -> None:
    """As after a failover: no traceback, a Retry-After, and readiness reports it."""
    url = own_server.create_database("other")

    def alter(statement: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM {statement}".encode())
            connection.execute("SELECT pg_reload_conf()")

    alter("SET default_transaction_read_only = on")
    try:
        answer = wait_for("a refused post", lambda: refused(patient))
        assert answer.headers["retry-after"]
        wait_for("readiness", lambda: "accepts no writes" in not_ready(patient))
        wait_for("the list", lambda: listed(patient) is not None)
    finally:
        alter("RESET default_transaction_read_only")
    wait_for("readiness", lambda: not not_ready(patient))
    wait_for("posting again", lambda: posted(patient))


def refused(service: Service) -> Answer | None:
    """Return the response to a rejected post; it is never a 500."""
    answer = post(service)
    assert answer.status in (204, 503), answer
    return answer if answer.status == 503 else None


def not_ready(service: Service) -> str:
    """What readiness says, if it is not good."""
    answer = request("GET", f"{service.url}/readyz")
    return "" if answer.status == 200 else str(answer.json())


def refused_at_once(service: Service, count: int) -> Answer:
    """One of ``count`` refusals, none of which waited for a connection or an answer."""
    before = errors(service)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(service), range(count)))
    assert {answer.status for answer in answers} == {503}
    grown = {kind: number - before[kind] for kind, number in errors(service).items()}
    # What api counts now and then may have been under way, and may have waited.
    assert grown["unavailable"] >= count, grown
    assert grown["pool_exhausted"] + grown["timeout"] < count / 2, grown
    return answers[0]


def test_database_down_then_up(patient: Service, own_server: PostgresServer) -> None:
    own_server.stop()
    try:
        wait_for("not ready", lambda: patient.get("/readyz").status == 503)
        assert patient.get("/healthz").status == 200
        answer = refused_at_once(patient, 100)
        assert answer.json()["status"] == 503
        assert answer.headers["retry-after"] == "1"
    finally:
        own_server.start()
    wait_for("ready again", lambda: patient.get("/readyz").status == 200)
    wait_for("posting again", lambda: posted(patient))
    wait_for("its line", lambda: [x for x in patient.logs() if x["event"] == "db_error"])


def test_database_hanging_then_going_on(patient: Service, own_server: PostgresServer) -> None:
    wait_for("ready", lambda: patient.get("/readyz").status == 200)
    own_server.signal(signal.SIGSTOP)
    try:
        wait_for("not ready", lambda: patient.get("/readyz").status == 503)
        refused_at_once(patient, 10)
    finally:
        own_server.signal(signal.SIGCONT)
    wait_for("ready again", lambda: patient.get("/readyz").status == 200)
    wait_for("posting again", lambda: posted(patient))


def test_a_pause_of_the_database_is_no_outage_for_who_may_wait(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    url = own_server.create_database("paused")
    with start_service("api", tmp_path, DATABASE_URL=url, POOL_TIMEOUT="60") as api:
        own_server.signal(signal.SIGSTOP)
        try:
            time.sleep(4)  # a second until the next heartbeat, and one that it took before
            assert api.get("/readyz").status == 200
        finally:
            own_server.signal(signal.SIGCONT)


def waiting(service: Service, pool: ThreadPoolExecutor) -> bool:
    """Whether, while twelve post, both connections are busy and requests wait."""
    posts = [pool.submit(post, service) for _ in range(12)]
    while not all(one.done() for one in posts):
        busy = service.metric("minitwit_db_pool_connections", state="busy")
        if busy == 2 and service.metric("minitwit_db_pool_waiting_requests") > 0:
            return True
    return False


def test_pool_exhausted_is_a_bounded_wait(patient: Service, own_server: PostgresServer) -> None:
    wait_for("ready", lambda: patient.get("/readyz").status == 200)
    with psycopg.connect(own_server.url("patient")) as blocker:
        blocker.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: post(patient), range(12)))
            wait_for("requests that wait", lambda: waiting(patient, pool))
        assert {answer.status for answer in answers} == {503}
        # Saturated is not broken.
        wait_for("readiness", lambda: patient.get("/readyz").status == 200)
    assert errors(patient)["pool_exhausted"] > 0
    assert errors(patient)["timeout"] > 0
    wait_for("posting again", lambda: posted(patient))


def test_api_starts_while_the_database_is_away(own_server: PostgresServer, tmp_path: Path) -> None:
    url = own_server.create_database("late")
    own_server.stop()
    port = free_port()
    environment = {**os.environ, "DATABASE_URL": url, "PORT": str(port), "LOG_STDOUT": "0"}
    process = subprocess.Popen([sys.executable, "-m", "app", "api"], cwd=ROOT, env=environment)
    try:
        ready = f"http://127.0.0.1:{port}/readyz"
        wait_for("listening", lambda: request("GET", ready).status == 503)
        own_server.start()
        wait_for("ready", lambda: request("GET", ready).status == 200)
    finally:
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0


def test_stopping_drains_then_finishes_what_was_begun(database_url: str, tmp_path: Path) -> None:
    with start_service("api", tmp_path, DATABASE_URL=database_url, DRAIN_SECONDS="60") as service:
        register(service, "drained")
        service.process.send_signal(signal.SIGTERM)
        wait_for("draining", lambda: service.get("/readyz").status == 503)
        time.sleep(0.5)  # one that stops at once is gone by then
        assert call(service, "POST", path("msgs", "drained"), {"content": "late"}).status == 204
        service.process.send_signal(signal.SIGTERM)  # the second one ends the draining
        assert service.process.wait(timeout=PATIENCE) == 0
    assert [line["event"] for line in service.logs()][-1] == "shutdown"


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"DATABASE_URL": ""}, "api: DATABASE_URL is not set"),
        ({"PORT": "abc"}, "api: PORT must be a number, not 'abc'"),
        ({"PORT": "70000"}, "api: PORT must be from 0 to 65535, not 70000"),
        ({"LOG_LEVEL": "loud"}, "api: LOG_LEVEL must be one of"),
        ({"DATABASE_URL_FILE": "/nonexistent"}, "api: DATABASE_URL_FILE: cannot read /nonexistent"),
    ],
)
def test_a_wrong_setting_is_one_line(variables: dict[str, str], complaint: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "api"],
        cwd=ROOT,
        env={"PATH": "", "DATABASE_URL": "postgresql://x", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(complaint)
    assert done.stderr.count("\n") == 1


def test_who_comes_when_many_wait_is_refused_at_once_and_those_who_wait_are_served(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    url = own_server.create_database("crowded")
    with start_service(
        "api", tmp_path, DATABASE_URL=url,
        POOL_SIZE="1", POOL_TIMEOUT="60", STATEMENT_TIMEOUT="60",
    ) as api:  # fmt: skip
        register(api, "survivor")

        def queue() -> float:
            return api.metric("minitwit_db_pool_waiting_requests")

        with psycopg.connect(own_server.url("crowded")) as blocker, ThreadPoolExecutor(20) as pool:
            blocker.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
            served = [pool.submit(post, api) for _ in range(1 + ADMITTED_PER_CONNECTION)]
            wait_for("a queue", lambda: queue() >= ADMITTED_PER_CONNECTION)
            refused = post(api)
            assert refused.status == 503
            assert refused.headers["retry-after"] == "1"
            assert "overloaded" in refused.json()["error_msg"]
            assert errors(api)["pool_exhausted"] >= 1
            # api's own count of active users may wait as well, in place of a post or besides.
            assert queue() <= ADMITTED_PER_CONNECTION + 1
            blocker.rollback()
            statuses = [answer.result().status for answer in served]
            assert statuses.count(204) >= ADMITTED_PER_CONNECTION, statuses
        assert post(api).status == 204
