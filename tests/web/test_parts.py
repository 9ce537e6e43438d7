"""Dates and avatars."""

from __future__ import annotations

import re

import pytest

from app.web import avatars, dates

NOW = 1_700_000_000.9


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, "just now"),
        (-30, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (300, "5 minutes ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (86_399, "23 hours ago"),
        (86_400, "1 day ago"),
        (29 * 86_400, "29 days ago"),
        (30 * 86_400, ""),
        (-3600, ""),
    ],
)
def test_relative(age: int, expected: str) -> None:
    assert dates.relative(int(NOW) - age, NOW) == expected


@pytest.mark.parametrize("epoch", [2**62, -(2**62), 10**12])
def test_a_time_beyond_the_calendar_is_unknown(epoch: int) -> None:
    assert dates.moment(epoch) is None


def test_avatars_differ_and_stay_the_same() -> None:
    pictures = {avatars.draw(avatars.address(f"user {n}")[8:24]) for n in range(200)}
    assert len(pictures) == 200
    assert avatars.address("Anna") == avatars.address("Anna")
    assert re.fullmatch(r"/avatar/[0-9a-f]{16}\.svg", avatars.address("🙂/.."))


def test_an_avatar_is_symmetric() -> None:
    cells = {(int(x), int(y)) for x, y in re.findall(r"M(\d) (\d)h1", avatars.draw("f" * 16))}
    assert cells == {(x, y) for x in range(5) for y in range(5)}
    cells = {(int(x), int(y)) for x, y in re.findall(r"M(\d) (\d)h1", avatars.draw("5" * 16))}
    assert cells == {(4 - x, y) for x, y in cells}
