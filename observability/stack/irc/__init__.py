"""The on-call channel: IRC client and chat log."""
