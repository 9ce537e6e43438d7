"""The run without Docker."""
