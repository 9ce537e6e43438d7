"""The receivers of alerts besides the chat channel, each enabled by its secrets.

``docs/add-a-chat-service.md`` lists the other files that a new receiver needs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver of Alertmanager; it is left out unless all of its ``secrets`` are set.

    A secret is a file in the folder of secrets; the setting is its name in capitals, or with _FILE.
    ``integration`` is the label of Alertmanager's metrics.
    """

    name: str
    secrets: tuple[str, ...]
    integration: str


RECEIVERS = (
    Receiver("slack", ("slack_url",), "slack"),
    Receiver("discord", ("discord_url",), "discord"),
    Receiver("teams", ("teams_url",), "msteamsv2"),
    Receiver("telegram", ("telegram_token", "telegram_chat"), "telegram"),
    Receiver("mattermost", ("mattermost_url",), "mattermost"),
    Receiver("webhook", ("webhook_url",), "webhook"),
)
SECRETS = tuple(secret for receiver in RECEIVERS for secret in receiver.secrets)
# The URL to which the dead man's switch posts, without Alertmanager; set in the same way.
DEADMAN_URL = "deadman_url"
