"""Moves a running SQLite MiniTwit into PostgreSQL: copy, follow the changes, switch."""
