"""Alerts reach every receiver whose secret is set, in a readable text."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from observability.stack.config.receivers import SECRETS
from observability.stack.programs.tools import find
from tests.alerts.standins import CHECKS, Standins, serve
from tests.parts import ROOT, wait_for
from tests.stack.platform import Platform

pytestmark = pytest.mark.stack
LABELS = {"alertname": "MiniTwitTargetDown", "severity": "critical", "service": "api"}
NOTES = {
    "summary": "A service of MiniTwit is down.",
    "description": 'Prometheus cannot scrape api at h:5001. <b> & "quotes" — ünï',
    "impact": "users and the simulator, if it is api or web",
    "runbook_url": "https://code.example.org/minitwit/alerts/runbooks/MiniTwitTargetDown.md",
    "dashboard_url": "https://grafana.example.org/d/minitwit-overview",
}
ALL = ("chat", "slack", "discord", "msteamsv2", "mattermost", "webhook")
# Without Prometheus the dead man's switch would inhibit all of it.
CHAT = ("ngircd", "relay", "chatlog", "alertmanager")


@pytest.fixture(scope="module")
def standins() -> Iterator[Standins]:
    with serve() as standins:
        yield standins


@pytest.fixture(scope="module")
def platform(standins: Standins) -> Iterator[Platform]:
    """The way into the chat services, twenty times as fast, with all of them set."""
    if not find("alertmanager", Platform(Path(tempfile.mkdtemp())).settings.cache):
        pytest.skip("RECEIVERS NOT TESTED: no Alertmanager on this machine")
    with tempfile.TemporaryDirectory(prefix="minitwit-receivers-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run", 20)
        platform.environment |= {
            "SLACK_URL": f"{standins.url}/slack",
            "DISCORD_URL": f"{standins.url}/discord",
            "TEAMS_URL": f"{standins.url}/teams",
            "MATTERMOST_URL": f"{standins.url}/mattermost",
            "WEBHOOK_URL": f"{standins.url}/webhook",
        }
        try:
            platform.up(*CHAT)
            yield platform
        finally:
            platform.down()


def test_each_service_takes_the_alert_and_the_all_clear(
    platform: Platform, standins: Standins
) -> None:
    # In one request: the first message is of what has come when the group has waited.
    platform.fire_together([{**LABELS, "instance": f"h:500{n}"} for n in range(5)], NOTES)
    names = [name for name in CHECKS if name != "telegram"]
    for name in names:
        wait_for(f"{name}'s message", lambda name=name: standins.taken[name])  # type: ignore[misc]
    assert standins.refused == []
    texts = {name: json.dumps(standins.taken[name][0], ensure_ascii=False) for name in names}
    for name, text in texts.items():
        assert NOTES["summary"] in text, name
        assert NOTES["runbook_url"] in text, name
        assert "no value" not in text, name
    for name in ("slack", "discord", "teams", "mattermost"):
        assert "[FIRING] critical api: MiniTwitTargetDown (5)" in texts[name], name
        assert texts[name].count("Since: 2") == 3 and "more: 5 in all." in texts[name], name
        assert f"Affected: {NOTES['impact']}" in texts[name], name
        assert re.search("  b  &", texts[name]), (
            name
        )  # what is markup to one of the services is left out
        if name == "slack":
            assert not re.search(r"&(?!amp;|lt;|gt;)", texts[name]), "an entity that is none"
            texts[name] = html.unescape(texts[name])
        for board in ("minitwit-overview", "minitwit-logs"):
            link = re.search(rf"/d/{board}\?var-service=api&from=(\d{{13}})&to=now", texts[name])
            assert link, name
            before = time.time() - int(link[1]) / 1000
            assert 1800 <= before < 2400, name


def test_one_line_in_the_chat_says_all_and_stays_under_400_bytes(platform: Platform) -> None:
    """With everything at its longest, and as it is usually."""
    usual = {**LABELS, "service": "web", "alertname": "MiniTwitMemoryHigh", "instance": "h:7"}
    long = {
        **LABELS,
        "alertname": "MiniTwit" + "A" * 23,
        "service": "promtail",
        "instance": "i" * 99,
    }
    notes = {"summary": "s" * 62, "impact": "i" * 50, "description": "d" * 300,
             "runbook_url": "r" * 136, "dashboard_url": "b" * 123}  # fmt: skip
    platform.fire(usual, NOTES)
    platform.fire(long, notes)

    def line(labels: dict[str, str]) -> str:
        head = f"[FIRING] critical {labels['service']}: {labels['alertname']} ("
        return next((text for text in platform.chat_lines() if head in text), "")

    # The relay holds lines back so that the server does not take them for a flood.
    wait_for("both lines", lambda: line(usual) and line(long))
    for part in (NOTES["summary"], NOTES["impact"], NOTES["runbook_url"], " Since ",
                 f"{NOTES['dashboard_url']}?var-service=web"):  # fmt: skip
        assert part in line(usual)
    assert len(line(long).partition(" ")[2].encode()) < 400
    assert notes["summary"] in line(long) and line(long).endswith(notes["runbook_url"])


def test_alert_test_says_who_got_it_and_one_that_fails_holds_up_nobody(
    platform: Platform, standins: Standins
) -> None:
    good = platform.run("alert-test")
    assert good.returncode == 0, good.stdout + good.stderr
    lines = [line.split() for line in good.stdout.splitlines()[2:]]
    assert lines == [[name, "delivered"] for name in ALL]
    standins.broken.add("slack")
    try:
        bad = platform.run("alert-test")
    finally:
        standins.broken.clear()
    assert bad.returncode == 1
    results = dict(line.split(maxsplit=1) for line in bad.stdout.splitlines()[2:])
    assert results["slack"].startswith("FAILED")
    assert {v for k, v in results.items() if k != "slack"} == {"delivered"}


def test_telegram_takes_the_text(standins: Standins, platform: Platform, tmp_path: Path) -> None:
    """Its URL is fixed, so Alertmanager gets another one in a separate configuration."""
    (tmp_path / "telegram_token").write_text("123:abc")
    (tmp_path / "telegram_chat").write_text("-1005\n")
    (tmp_path / "deadman_secret").write_text("another")
    config = (platform.run_dir / "config/alertmanager.yml").read_text()
    config = config.replace(str(platform.settings.secrets), str(tmp_path))
    config = config.replace("parse_mode:", f"api_url: {standins.url}, parse_mode:")
    (tmp_path / "template.yml").write_text(config)
    kept = platform.run_dir / "config/alertmanager-kept.yml"
    before = kept.read_text()
    script = ["sh", "alerts/start.sh", str(tmp_path / "template.yml"), str(tmp_path), str(kept)]
    subprocess.run(script, cwd=ROOT, check=True)
    platform.supervisor.hang_up("alertmanager")
    try:
        platform.fire({**LABELS, "service": "web", "instance": "h:1"}, NOTES)
        heading = "[FIRING] critical web: MiniTwitTargetDown\n"
        wait_for(
            "Telegram's message",
            lambda: any(heading in message["text"] for message in standins.taken["telegram"]),
        )
    finally:
        kept.write_text(before)
        platform.supervisor.hang_up("alertmanager")
    assert standins.refused == []


def test_what_is_not_set_is_left_out(tmp_path: Path) -> None:
    template = ROOT / "deploy/generated/alertmanager.yml"
    for name in SECRETS:
        (tmp_path / name).write_text(" \n")  # as deploy/empty-secret
    (tmp_path / "slack_url").write_text("http://127.0.0.1:1/\n")
    (tmp_path / "telegram_token").write_text("a token, but no chat\n")
    out = tmp_path / "out.yml"
    command = ["sh", "alerts/start.sh", str(template), str(tmp_path), str(out)]
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ)
    text = out.read_text()
    assert "slack_configs" in text and "name: chat" in text and "inhibit_rules" in text
    for other in ("discord", "msteamsv2", "telegram", "mattermost", 'url_file: "/run/secrets/web'):
        assert other not in text


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("slack", {}),
        ("slack", {"attachments": [{"title": "no text"}]}),
        ("slack", {"text": "x", "surprise": 1}),
        ("discord", {"content": "", "embeds": []}),
        ("discord", {"embeds": [{"title": "x" * 257}]}),
        ("teams", {"type": "message", "attachments": [{"contentType": "text/plain"}]}),
        ("telegram", {"chat_id": "channel", "text": "x"}),
        ("telegram", {"chat_id": 5, "text": " "}),
        ("mattermost", {"text": ""}),
        ("webhook", {"version": "3"}),
    ],
)
def test_the_stand_ins_refuse_what_the_services_do(name: str, payload: dict[str, object]) -> None:
    assert CHECKS[name](payload)[0] == 400
