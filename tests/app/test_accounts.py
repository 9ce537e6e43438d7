"""Passwords of now and of earlier systems, and log-in throttling across replicas."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bcrypt
import psycopg
import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.security import generate_password_hash

from app.services import accounts, networks
from app.services.passwords import Passwords
from tests.parts import Answer, Service, start_service, wait_for

PASSWORD = "pä$$ 'word\"\\"
EARLIER = {
    "pbkdf2": generate_password_hash(PASSWORD, "pbkdf2:sha256:1000"),
    "scrypt": generate_password_hash(PASSWORD, "scrypt:1024:8:1"),
    "bcrypt 2b": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode(),
    "bcrypt 2a": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4, b"2a")).decode(),
    "argon2id, 19 MiB": PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1).hash(
        PASSWORD
    ),
}


def log_in(api: Service, name: str, password: str, address: str = "192.0.2.1") -> Answer:
    """From ``address``, as the web service reports it; again while too many others wait."""
    body = {"username": name, "password": password}

    def answered() -> Answer | None:
        answer = api.send("POST", "/api/sessions", body, X_Forwarded_For=address)
        return None if answer.status == 503 else answer

    return wait_for("an answer to a log-in", answered)


@pytest.mark.parametrize("form", EARLIER)
def test_earlier_hashes_verify_and_are_upgraded(api: Service, database_url: str, form: str) -> None:
    name = f"earlier {form}"
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO users (username, email, pw_hash) VALUES (%s, 'a@b', %s)",
            (name, EARLIER[form]),
        )

    def stored() -> str:
        with psycopg.connect(database_url) as connection:
            row = connection.execute("SELECT pw_hash FROM users WHERE username = %s", (name,))
            return str((row.fetchone() or [""])[0])

    assert log_in(api, name, "wrong").status == 401
    assert stored() == EARLIER[form]
    assert log_in(api, name, PASSWORD).status == 200
    assert stored().startswith("$argon2id$v=19$m=9216,t=4,p=1$")
    assert log_in(api, name, PASSWORD).status == 200


@pytest.mark.parametrize(
    "broken",
    ["", "x", "$argon2id$", "pbkdf2:sha256$x", "scrypt:x:8:1$a$b", "$2b$nonsense", "plain"],
)
def test_a_broken_hash_is_a_wrong_password(broken: str) -> None:
    passwords = Passwords(1)
    assert not asyncio.run(passwords.verify(broken, "x"))
    passwords.close()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@settings(max_examples=15, deadline=None)
def test_any_password_verifies_against_its_own_hash_only(password: str) -> None:
    passwords = Passwords(1)

    async def check() -> tuple[bool, bool]:
        made = await passwords.hash(password)
        return await passwords.verify(made, password), await passwords.verify(made, password + "x")

    assert asyncio.run(check()) == (True, False)
    passwords.close()


@pytest.fixture(scope="module")
def second_replica(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("second")
    with start_service("api", folder, DATABASE_URL=database_url) as service:
        yield service


def register(api: Service, name: str) -> None:
    api.send("POST", "/register", {"username": name, "email": "a@b", "pwd": PASSWORD})


def test_an_account_is_throttled_on_every_replica(api: Service, second_replica: Service) -> None:
    register(api, "attacked")
    replicas = (api, second_replica)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda n: log_in(replicas[n % 2], "attacked", "guess", "198.51.100.7"),
                range(accounts.ACCOUNT_FAILURES + 10),
            )
        )
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [401] * accounts.ACCOUNT_FAILURES + [429] * 10
    refused = log_in(second_replica, "attacked", PASSWORD, "198.51.100.7")
    assert refused.status == 429
    assert 0 < int(refused.headers["retry-after"]) <= accounts.THROTTLE_SECONDS
    assert api.metric("minitwit_logins_total", outcome="throttled") > 0
    # The owner elsewhere, the simulator and everyone else go on.
    assert log_in(second_replica, "attacked", PASSWORD, "203.0.113.1").status == 200
    assert log_in(api, "attacked", PASSWORD, "198.51.100.7").status == 429, "not the guesser's"
    register(api, "bystander")
    assert log_in(api, "bystander", PASSWORD, "198.51.100.7").status == 200


def test_nobody_locks_an_owner_out_from_elsewhere(api: Service) -> None:
    register(api, "owner")
    for n in range(accounts.ACCOUNT_FAILURES + 5):
        assert log_in(api, "owner", "guess", f"2001:db8:0:{n}::1").status == 401
    assert log_in(api, "owner", PASSWORD, "192.0.2.80").status == 200


def test_the_addresses_of_one_ipv6_customer_count_as_one(api: Service) -> None:
    register(api, "six")
    statuses = [
        log_in(api, "six", "guess", f"2001:db8:9:9::{n:x}").status
        for n in range(accounts.ACCOUNT_FAILURES + 2)
    ]
    assert statuses == [401] * accounts.ACCOUNT_FAILURES + [429] * 2
    assert log_in(api, "six", PASSWORD, "2001:db8:9:a::1").status == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_what_counts_together(address: str, network: str) -> None:
    assert networks.network_of(address) == network


def test_an_address_is_throttled_over_many_accounts(api: Service) -> None:
    address = "198.51.100.200"
    statuses = [
        log_in(api, f"nobody {n}", "guess", address).status
        for n in range(accounts.NETWORK_FAILURES + 3)
    ]
    assert statuses == [401] * accounts.NETWORK_FAILURES + [429] * 3
    register(api, "neighbour")
    assert log_in(api, "neighbour", PASSWORD, "203.0.113.2").status == 200


def test_success_takes_the_attempts_back(api: Service) -> None:
    register(api, "forgetful")
    for _ in range(3):
        for _ in range(accounts.ACCOUNT_FAILURES - 1):
            assert log_in(api, "forgetful", "guess", "203.0.113.3").status == 401
        assert log_in(api, "forgetful", PASSWORD, "203.0.113.3").status == 200


def test_a_window_ends(api: Service, database_url: str) -> None:
    register(api, "patient")
    for _ in range(accounts.ACCOUNT_FAILURES + 1):
        status = log_in(api, "patient", "guess", "203.0.113.4").status
    assert status == 429
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE login_attempts SET since = since - interval '301 seconds'")
    assert log_in(api, "patient", PASSWORD, "203.0.113.4").status == 200


def test_forwarded_headers_of_strangers_are_not_believed(database_url: str, tmp_path: Path) -> None:
    with start_service(
        "api", tmp_path, DATABASE_URL=database_url, TRUSTED_PROXIES="192.0.2.77"
    ) as service:
        statuses = [
            log_in(service, f"who {n}", "guess", f"198.51.100.{n}").status
            for n in range(accounts.NETWORK_FAILURES + 2)
        ]
    assert statuses[-1] == 429, "a made-up address per attempt must not get round the limit"
