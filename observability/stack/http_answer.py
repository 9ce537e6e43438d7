"""HTTP requests that fail with OSError alone, whatever answers at the address."""

from __future__ import annotations

import contextlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

REFUSAL = 300  # characters of a refusal that are shown


def body(
    call: urllib.request.Request,
    timeout: float,
    most: int | None = None,
    send: Callable[..., Any] = urllib.request.urlopen,
) -> bytes:
    """Return the body of a response, ``most`` bytes at most; OSError if there is none.

    What is no HTTP is no answer. Of http.client's exceptions most are no OSError, and a redirect to
    what is no URL is a ValueError.
    """
    try:
        with send(call, timeout=timeout) as answer:
            return bytes(answer.read(most))
    except (http.client.HTTPException, ValueError) as error:
        raise ConnectionError(f"no HTTP answer: {error!r}") from error


def refusal(error: urllib.error.HTTPError) -> str:
    """Return the text of a refusal, as far as it arrived."""
    with error, contextlib.suppress(OSError, http.client.HTTPException):
        return error.read().decode(errors="replace")[:REFUSAL]
    return ""
