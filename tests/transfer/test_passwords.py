"""Password hashes of every earlier format verify after the import."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sqlite3

import pytest

from app.services.passwords import Passwords
from tests.transfer import old
from tests.transfer.sides import Import, rows


def test_a_dry_run_names_who_could_not_log_in(source: sqlite3.Connection, run: Import) -> None:
    for digest in (old.HASH, "sha1$salt$" + "0" * 40, "rot13$salt$abc", "plain text"):
        source.execute("INSERT INTO user VALUES (NULL, ?, 'e', ?)", (digest, digest))
    done = run("--dry-run")
    assert "2 users have a password hash of unknown format: user_id 3, 4\n" in done.stdout


def test_old_passwords_still_open_the_door(
    source: sqlite3.Connection, url: str, run: Import
) -> None:
    from werkzeug.security import generate_password_hash

    known = generate_password_hash("swordfish", method="pbkdf2:sha256:1000")
    source.execute("INSERT INTO user (username, email, pw_hash) VALUES ('a', 'b', ?)", (known,))
    assert run("--cut-over").returncode == 0
    [(moved,)] = rows(url, "SELECT pw_hash FROM users")
    assert asyncio.run(Passwords(1).verify(moved, "swordfish"))


@pytest.mark.parametrize("method", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("salt", ["aBcDeFgH", ""])
def test_hashes_of_the_first_years_verify_and_are_replaced(method: str, salt: str) -> None:
    """As werkzeug 0.8 made them: an HMAC whose key is the salt."""
    keyed = hmac.new(salt.encode(), b"swordfish", method)
    made = keyed if salt else hashlib.new(method, b"swordfish")
    known, passwords = f"{method}${salt}${made.hexdigest()}", Passwords(1)
    assert asyncio.run(passwords.verify(known, "swordfish"))
    assert not asyncio.run(passwords.verify(known, "sword fish"))
    assert passwords.outdated(known)
