"""Migrates a running SQLite MiniTwit to PostgreSQL: copy, follow the changes, switch."""
