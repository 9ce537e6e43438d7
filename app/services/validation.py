"""What a user may type: any Unicode that PostgreSQL can keep, within sane lengths."""

from __future__ import annotations

from app.problems import Invalid

NAME_LENGTH = 200  # a longer name would not fit into the index that keeps names unique
EMAIL_LENGTH = 320
PASSWORD_LENGTH = 1024
MESSAGE_LENGTH = 10_000


def required(value: object, complaint: str, length: int) -> str:
    """``value`` if it is text and not empty, else Invalid with ``complaint``."""
    if not isinstance(value, str) or not value:
        raise Invalid(complaint)
    if len(value) > length:
        raise Invalid(f"That is too long: at most {length} characters")
    if not storable(value):
        raise Invalid("NUL characters and lone surrogates cannot be stored")
    return value


def name(value: str) -> bool:
    """Whether a name that came in an address could belong to anyone."""
    return len(value) <= NAME_LENGTH and storable(value)


def storable(value: str) -> bool:
    """Whether PostgreSQL can keep it: no NUL, no lone surrogate."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False
