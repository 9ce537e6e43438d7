"""Stand-ins for chat services that refuse what the real ones refuse.

Slack: incoming webhooks; Discord: execute webhook; Teams: a workflow that posts an adaptive card;
Telegram: sendMessage; Mattermost: incoming webhooks; Alertmanager's own webhook, version 4.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Check = Callable[[Json], tuple[int, str]]

SLACK_TOP = {"text", "attachments", "blocks", "channel", "username", "icon_emoji", "icon_url",
             "mrkdwn", "link_names", "thread_ts"}  # fmt: skip
SLACK_ATTACHMENT = {"title", "title_link", "text", "fallback", "color", "fields", "actions",
                    "pretext", "callback_id", "footer", "image_url", "thumb_url",
                    "mrkdwn_in"}  # fmt: skip
DISCORD_EMBED = {"title", "description", "url", "timestamp", "color", "footer", "author", "fields"}


def _slack(body: Json) -> tuple[int, str]:
    attachments = body.get("attachments", [])
    if not body.get("text") and not attachments and not body.get("blocks"):
        return 400, "no_text"
    if set(body) - SLACK_TOP or len(attachments) > 100:
        return 400, "invalid_payload"
    for one in attachments:
        if set(one) - SLACK_ATTACHMENT or not (one.get("text") or one.get("fallback")):
            return 400, "invalid_attachments"
    return 200, "ok"


def _discord(body: Json) -> tuple[int, str]:
    embeds = body.get("embeds") or []
    size = 0
    for embed in embeds:
        if set(embed) - DISCORD_EMBED or not isinstance(embed.get("color", 0), int):
            return 400, '{"code": 50109, "message": "The request body contains invalid JSON."}'
        title, text = embed.get("title") or "", embed.get("description") or ""
        if len(title) > 256 or len(text) > 4096:
            return 400, '{"code": 50035, "message": "Invalid Form Body"}'
        size += len(title) + len(text)
    content = body.get("content") or ""
    if len(content) > 2000 or len(embeds) > 10 or size > 6000 or not (content or embeds):
        return 400, '{"code": 50006, "message": "Cannot send an empty message"}'
    return 204, ""


def _teams(body: Json) -> tuple[int, str]:
    if body.get("type") != "message" or not body.get("attachments"):
        return 400, "not a message with attachments"
    for one in body["attachments"]:
        card = one.get("content", {})
        if one.get("contentType") != "application/vnd.microsoft.card.adaptive":
            return 400, "no adaptive card"
        if card.get("type") != "AdaptiveCard" or "version" not in card or not card.get("body"):
            return 400, "a card without type, version or body"
        if not all(block.get("text") for block in card["body"] if block["type"] == "TextBlock"):
            return 400, "a block without text"
    return 202, ""


def _telegram(body: Json) -> tuple[int, str]:
    text, chat_id = body.get("text") or "", str(body.get("chat_id", ""))
    if not chat_id.lstrip("-").isdigit():
        return 400, '{"ok": false, "error_code": 400, "description": "chat not found"}'
    if not text.strip() or len(text) > 4096 or body.get("parse_mode", "") not in ("", "HTML"):
        return 400, '{"ok": false, "error_code": 400, "description": "message text is empty"}'
    chat = {"id": body["chat_id"], "type": "group"}
    return 200, json.dumps({"ok": True, "result": {"message_id": 1, "date": 1, "chat": chat}})


def _mattermost(body: Json) -> tuple[int, str]:
    if not body.get("text") and not body.get("attachments"):
        return 400, "no text specified"
    return 200, "ok"


def _webhook(body: Json) -> tuple[int, str]:
    wanted = {"version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels",
              "commonLabels", "commonAnnotations", "externalURL", "alerts"}  # fmt: skip
    if body.get("version") != "4" or wanted - set(body) or not body["alerts"]:
        return 400, "not Alertmanager's version 4"
    return 200, ""


CHECKS: dict[str, Check] = {
    "slack": _slack,
    "discord": _discord,
    "teams": _teams,
    "telegram": _telegram,
    "mattermost": _mattermost,
    "webhook": _webhook,
}


class Standins:
    """Stand-ins of all chat services on one port, by the path's first part.

    ``taken`` is what they accepted.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.taken: dict[str, list[Json]] = {name: [] for name in CHECKS}
        self.refused: list[str] = []
        self.broken: set[str] = set()

    def answer(self, name: str, body: bytes) -> tuple[int, str]:
        """What the service would say."""
        if name in self.broken:
            return 500, "something went wrong"
        try:
            payload = json.loads(body)
        except ValueError:
            return 400, "invalid_payload"
        status, text = CHECKS[name](payload)
        if status < 300:
            self.taken[name].append(payload)
        else:
            self.refused.append(f"{name}: {text}: {body.decode()}")
        return status, text


@contextmanager
def serve() -> Iterator[Standins]:
    """Run them until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            json_sent = "json" in self.headers.get("Content-Type", "")
            name = self.path.split("/")[1]
            # Telegram has the token in the path: /botTOKEN/sendMessage
            name = "telegram" if name.startswith("bot") else name
            status, text = standins.answer(name, body) if json_sent else (415, "no JSON")
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        standins = Standins(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield standins
        finally:
            server.shutdown()
            thread.join()
