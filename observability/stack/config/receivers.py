"""The receivers of alerts besides the chat channel: names of secrets and settings.

A receiver is enabled by its secret.
"""

from __future__ import annotations

# A file in the folder of secrets; the setting is its name in capitals, or with _FILE.
SECRETS = (
    "slack_url",
    "discord_url",
    "teams_url",
    "telegram_token",
    "telegram_chat",
    "mattermost_url",
    "webhook_url",
)
# The URL to which the dead man's switch posts, without Alertmanager; set in the same way.
DEADMAN_URL = "deadman_url"
# Those that Alertmanager has an integration for; the chat channel is a webhook.
INTEGRATIONS = {
    "slack_url": "slack",
    "discord_url": "discord",
    "teams_url": "msteamsv2",
    "telegram_token": "telegram",
    "mattermost_url": "mattermost",
    "webhook_url": "webhook",
}
