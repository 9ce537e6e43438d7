"""``python -m app flag``: what is flagged vanishes from every list, and comes back."""

from __future__ import annotations

import subprocess
import sys

from tests.app.test_contract import call, path, register
from tests.parts import ROOT, Service


def flag(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "flag", *arguments],
        cwd=ROOT,
        env={"DATABASE_URL": url, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_flagged_message_vanishes_and_comes_back(api: Service, database_url: str) -> None:
    register(api, "rude one")
    call(api, "POST", path("msgs", "rude one"), {"content": "\x1b[31mrude"})
    lists = (
        "/msgs",
        path("msgs", "rude one"),
        "/api/timelines/public",
        "/api/timelines/user/rude%20one",
    )

    def shown() -> list[bool]:
        return [b"[31mrude" in call(api, "GET", where).body for where in lists]

    listed = flag(database_url, "list", "--author", "rude one").stdout
    assert "\x1b" not in listed
    number = listed.split()[0]
    assert all(shown())
    assert flag(database_url, "list").stdout == "no messages found\n"
    assert flag(database_url, "set", number).stdout == f"flagged {number}\n"
    assert not any(shown())
    assert "rude" in flag(database_url, "list").stdout
    assert flag(database_url, "clear", number).returncode == 0
    assert all(shown())


def test_a_missing_message_is_one_line_on_stderr(database_url: str) -> None:
    for arguments, complaint in (
        (("set", "999999"), "flag: there is no message 999999"),
        (("set",), "flag: 'set' needs the ids of messages"),
    ):
        done = flag(database_url, *arguments)
        assert (done.returncode, done.stderr) == (1, complaint + "\n")
