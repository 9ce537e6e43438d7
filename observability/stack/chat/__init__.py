"""The chat: IRC client, chat log and dead man's switch."""
