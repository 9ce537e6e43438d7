"""The story: under load api stops for good; the chat gets alert and all-clear."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.parts import request, wait_for
from tests.stack.platform import Platform

pytestmark = pytest.mark.stack
ALERT = "critical api: MiniTwitTargetDown"
TO_CHAT = 60.0  # seconds: the promise for a page of what is simply down
# Noticing (one scrape, one evaluation) and then at most one group_interval of 30 s.
TO_RESOLVED = 60.0


def said(stack: Platform, what: str) -> Callable[[], list[str]]:
    return lambda: [line for line in stack.chat_lines() if f"[{what}] {ALERT}" in line]


def latest(stack: Platform) -> int:
    number: int = request("GET", stack.url("api") + "/latest").json()["latest"]
    return number


def test_a_stopped_api_is_in_the_chat_within_a_minute_and_so_is_its_return(
    stack: Platform,
) -> None:
    status, rows = stack.status()
    assert status == 0, rows
    first = latest(stack)
    wait_for("the simulator to act", lambda: latest(stack) > first)
    assert said(stack, "FIRING")() == [], "the baseline is quiet"

    stack.stop("api")
    begin = time.monotonic()
    wait_for("the alert in the chat", said(stack, "FIRING"), TO_CHAT)
    print(f"api stopped to message in the chat: {time.monotonic() - begin:.1f} s")
    assert stack.status(wait=0)[0] == 1
    assert stack.process("web").state == "RUNNING", "one that stops takes no other with it"

    stack.start("api")
    begin = time.monotonic()
    wait_for("the all-clear in the chat", said(stack, "RESOLVED"), TO_RESOLVED)
    print(f"api started to all-clear in the chat: {time.monotonic() - begin:.1f} s")
    now = latest(stack)
    wait_for("the simulator to go on", lambda: latest(stack) > now)
