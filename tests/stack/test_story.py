"""The story: under load api stops for good; the chat gets alert and all-clear."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.parts import get, wait_for
from tests.stack.platform import Platform

pytestmark = pytest.mark.stack
ALERT = "critical api: MiniTwitTargetDown"


def said(stack: Platform, what: str) -> Callable[[], list[str]]:
    return lambda: [line for line in stack.chat_lines() if f"[{what}] {ALERT}" in line]


def latest(stack: Platform) -> int:
    number: int = get(stack.url("api") + "/latest").json()["latest"]
    return number


def test_a_stopped_api_is_in_the_chat_and_so_is_its_return(stack: Platform) -> None:
    """The seconds are printed; that they are 60 at most is for the drills."""
    stack.healthy()
    first = latest(stack)
    wait_for("the simulator to act", lambda: latest(stack) > first)
    # Another test may have stopped it before, or a busy machine.
    fired, resolved = said(stack, "FIRING"), said(stack, "RESOLVED")
    wait_for("a quiet baseline", lambda: len(fired()) == len(resolved()))
    before = len(fired())

    stack.stop("api")
    begin = time.monotonic()
    wait_for("the alert in the chat", lambda: len(fired()) > before)
    print(f"api stopped to message in the chat: {time.monotonic() - begin:.1f} s")
    assert stack.status(wait=0)[0] == 1
    assert stack.process("web").state == "RUNNING", "one that stops takes no other with it"

    stack.start("api")
    begin = time.monotonic()
    wait_for("the all-clear in the chat", lambda: len(resolved()) == len(fired()))
    print(f"api started to all-clear in the chat: {time.monotonic() - begin:.1f} s")
    now = latest(stack)
    wait_for("the simulator to go on", lambda: latest(stack) > now)
