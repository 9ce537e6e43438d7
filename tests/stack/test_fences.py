"""The components beside MiniTwit require authentication, as they really run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from observability.conventions import HEARTBEAT
from observability.stack.irc.client import Connection
from observability.stack.targets import CHANNEL, GUARDED, RELAY_NICK, VOICES_CHANNEL
from tests.parts import request, wait_for
from tests.stack.platform import Platform

pytestmark = pytest.mark.stack
PARTS = ("ngircd", "relay", "chatlog", "deadman", "alertmanager", "blackbox", "prometheus")
PAGE = {"Origin": "http://evil.example"}
SILENCE = {
    "matchers": [{"name": "alertname", "value": ".+", "isRegex": True, "isEqual": True}],
    "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2036-01-01T00:00:00Z",
    "createdBy": "page", "comment": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[Platform]:
    with tempfile.TemporaryDirectory(prefix="minitwit-fences-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        try:
            platform.up(*PARTS)
            yield platform
        finally:
            platform.down()


@pytest.mark.parametrize("component", sorted(GUARDED))
@pytest.mark.parametrize(
    "path",
    ["/", "/metrics", "/config", "/probe?target=http://127.0.0.1/&module=user_login&debug=true",
     "/api/v2/alerts", "/api/v2/silences", "/-/reload", "/-/ready", "/-/healthy", "/debug/pprof/"],
)  # fmt: skip
def test_it_asks_who_it_is(site: Platform, component: str, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        answer = request(method, site.url(component) + path, b"{}", PAGE)
        assert answer.status == 401, (method, path)
        assert "access-control-allow-origin" not in answer.headers
        assert b"password" not in answer.body


def test_no_page_can_silence_an_alert_and_who_may_can(site: Platform) -> None:
    address, body = site.url("alertmanager") + "/api/v2/silences", json.dumps(SILENCE).encode()
    for kind in ("application/json", "text/plain"):
        assert request("POST", address, body, {**PAGE, "Content-Type": kind}).status == 401
    assert request("GET", address, None, site.login).json() == []
    assert "sends to it" in site.healthy()["alertmanager"]


def test_prometheus_answers_no_page_and_takes_no_orders(site: Platform) -> None:
    base = site.url("prometheus")
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        answer = request("GET", base + "/api/v1/query?query=up", None, {"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers, origin
    for path in ("/-/quit", "/-/reload", "/api/v1/admin/tsdb/snapshot", "/api/v1/write"):
        assert request("POST", base + path, b"", PAGE).status >= 400, path


def test_nobody_gets_into_the_chat_without_the_password(site: Platform) -> None:
    address = site.url("ngircd").removeprefix("http://")
    for password in ("", "wrong"):
        with pytest.raises(OSError):
            Connection(address, "stranger", password).close()


def test_a_person_does_not_speak_as_the_alerts(site: Platform) -> None:
    address = site.url("ngircd").removeprefix("http://")
    password = (site.settings.secrets / "chat_password").read_text()
    with Connection(address, "mallory", password) as chat:
        chat.send(f"JOIN {CHANNEL}")
        chat.send(f"PRIVMSG {CHANNEL} :[FIRING] critical api: \x1b[2JNothing \u202ewrong")
        chat.members(CHANNEL)
        wait_for("the line", lambda: any("mallory" in line for line in site.chat_lines()))
    [line] = [line for line in site.chat_lines() if "mallory" in line]
    said = line.partition(" ")[2]
    assert said == r"<mallory> [FIRING] critical api: \x1b[2JNothing \u202ewrong"


@contextmanager
def impostor(site: Platform, text: str) -> Iterator[str]:
    """Take the relay's nick with the password alone; yield how the log has the words.

    The relay is started again beside him.
    """
    address = site.url("ngircd").removeprefix("http://")
    password = (site.settings.secrets / "chat_password").read_text()
    site.stop("relay")
    with Connection(address, RELAY_NICK, password) as chat:
        try:
            chat.send(f"JOIN {VOICES_CHANNEL} guessed")
            chat.send(f"JOIN {CHANNEL}")
            chat.send(f"PRIVMSG {CHANNEL} :{text}")
            others = chat.members(CHANNEL)
            wait_for("the line", lambda: any(text in line for line in site.chat_lines()))
        finally:
            site.start("relay")
        [line] = [line for line in site.chat_lines() if text in line]
        wait_for("the relay", lambda: chat.members(CHANNEL) - others)
        yield line.partition(" ")[2]


def fired(site: Platform, instance: str) -> None:
    """Fire an alert; the chat log has it without a name."""
    labels = {"alertname": "MiniTwitTargetDown", "severity": "critical", "service": "x"}
    site.fire(labels | {"instance": instance}, {})
    wait_for("the alert", lambda: any(instance in line for line in site.chat_lines()))
    [line] = [line for line in site.chat_lines() if instance in line]
    assert line.partition(" ")[2].startswith("[FIRING]"), line


def test_a_name_is_not_what_makes_a_message_an_alert(site: Platform) -> None:
    """While the relay is down somebody takes its name and keeps it; alerts stay alerts."""
    text = "[FIRING] critical api: by an impostor"
    with impostor(site, text) as said:
        assert said == f"<{RELAY_NICK}> {text}"
        fired(site, "beside")
    site.stop("relay")
    site.start("relay")
    wait_for("the relay", lambda: "in #" in site.status()[1]["relay"])


def test_alerts_arrive_all_the_same(site: Platform) -> None:
    fired(site, "afterwards")


def test_only_alertmanager_feeds_the_dead_mans_switch(site: Platform) -> None:
    watchdog = {"status": "firing", "labels": {"alertname": "Watchdog"}}
    body = json.dumps({"alerts": [{**watchdog, "annotations": {HEARTBEAT: "0"}}]}).encode()
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert request("POST", site.url("deadman"), body, headers).status == 401
    secret = (site.settings.secrets / "deadman_secret").read_text()
    good = {"Authorization": f"Bearer {secret}"}
    assert request("POST", site.url("deadman"), body, good).status == 200


def test_what_it_writes_is_for_its_owner_alone(site: Platform) -> None:
    for path in site.run_dir.rglob("*"):
        passed = path == site.settings.data or path.is_symlink() or path.is_socket()
        with suppress(FileNotFoundError):  # gone since it was listed
            assert passed or path.stat().st_mode & 0o077 == 0, path
    assert site.run_dir.stat().st_mode & 0o066 == 0
