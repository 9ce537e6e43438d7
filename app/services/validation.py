"""Validation of user input: any Unicode that PostgreSQL can store, within maximum lengths."""

from __future__ import annotations

from app.problems import Invalid

NAME_LENGTH = 200  # a longer name would not fit into the index that keeps names unique
EMAIL_LENGTH = 320
PASSWORD_LENGTH = 1024
MESSAGE_LENGTH = 10_000


def required(value: object, complaint: str, length: int) -> str:
    """Return ``value`` if it is valid, non-empty text; else raise Invalid with ``complaint``."""
    if not isinstance(value, str) or not value:
        raise Invalid(complaint)
    if len(value) > length:
        raise Invalid(f"That is too long: at most {length} characters")
    if not storable(value):
        raise Invalid("NUL characters and lone surrogates cannot be stored")
    return value


def name(value: str) -> bool:
    """Return whether a name from a URL could be a user's."""
    return len(value) <= NAME_LENGTH and storable(value)


def storable(value: str) -> bool:
    """Return whether PostgreSQL can store the text: no NUL, no lone surrogate."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False
