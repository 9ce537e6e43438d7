"""The rules of MiniTwit: they decide, and say what happened as typed events."""
