"""Which component moved first: named only where the scrapes leave no other, else *not sure*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerts.incident.bad_periods import GAP, UNKNOWN, Span
from alerts.incident.signals import MONITORING, ORDER, SERVICES, Kind
from alerts.incident.time_window import clock

QUIET = 12  # scrape intervals before a move in which nothing that it depends on may have moved
FELT = 3  # ... after a move within which somebody else must feel it


@dataclass(frozen=True, slots=True)
class Move:
    """One signal of a component and one span in which it was bad."""

    component: str
    kind: Kind
    words: str
    span: Span

    @property
    def own(self) -> bool:
        """Whether only the component itself can have caused it."""
        return self.kind == "own"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first component to move, or '' if that is not sure, and the ``reason``.

    ``order`` are the first moves of all signals that moved, the earliest first.
    """

    component: str
    reason: str
    order: tuple[Move, ...]


def judge(
    moves: Sequence[Move], news: Mapping[str, Sequence[float]], step: float, begin: float
) -> Verdict:
    """The first mover among ``moves``, seen from ``begin`` on.

    ``news`` are the times at which each component was heard of, ``step`` the scrape interval.
    """
    order = _order(moves)
    judged = tuple(m for m in order if m.component != MONITORING or m.span.begin != UNKNOWN)
    if not step:
        return Verdict("", "there are too few scrapes to judge by", order)
    if not judged:
        return Verdict("", "no signal of the chain moved", order)
    if before := [one for one in judged if one.span.begin == UNKNOWN]:
        text = "; ".join(one.words for one in before)
        return Verdict("", f"already so when the look began ({clock(begin)}): {text}", order)
    owns = [one for one in judged if one.own]
    if not owns:
        return Verdict("", _only_felt(judged), order)
    first = min(owns, key=lambda one: one.span.seen)
    doubts = (
        _others(first, owns), _earlier(first, judged), _below(first, moves, step),
        _silent(first, news, step), _unfelt(first, moves, step), _loaded(first, moves, step),
    )  # fmt: skip
    if doubt := next((doubt for doubt in doubts if doubt), ""):
        return Verdict("", doubt, order)
    below = ORDER[: ORDER.index(first.component)] if first.component in ORDER else ()
    rest = f"; {' and '.join(below)} had not moved" if below else ""
    return Verdict(first.component, f"{first.words}, {when(first.span)}{rest}", order)


def when(span: Span) -> str:
    """Between which two scrapes, for people."""
    if span.begin == UNKNOWN:
        return f"before {clock(span.seen)}"
    if clock(span.begin) == clock(span.seen):
        return f"at {clock(span.seen)}"
    return f"between {clock(span.begin)} and {clock(span.seen)}"


def _order(moves: Sequence[Move]) -> tuple[Move, ...]:
    """The first certain move of each signal, the earliest first, then along the dependencies."""
    found: dict[tuple[str, str], Move] = {}
    for one in sorted(moves, key=lambda move: (move.span.seen, move.span.begin)):
        if not one.span.brief:
            found.setdefault((one.component, one.words), one)
    place = {name: number for number, name in enumerate((*ORDER, MONITORING))}
    return tuple(sorted(found.values(), key=lambda m: (m.span.seen, place[m.component])))


def _only_felt(order: Sequence[Move]) -> str:
    first = order[0]
    same = [one for one in order if one.span.begin < first.span.seen]
    words = " and ".join(dict.fromkeys(one.words for one in same))
    return f"{words} {when(first.span)}, which the component or what it depends on may cause"


def _others(first: Move, owns: Sequence[Move]) -> str:
    """Another component whose own move may have been first."""
    for one in owns:
        if one.component != first.component and one.span.begin < first.span.seen:
            return (
                f"{first.words} and {one.words} within the same scrapes ({clock(first.span.seen)})"
            )
    return ""


def _earlier(first: Move, order: Sequence[Move]) -> str:
    """A signal that had moved before this one can have."""
    for one in order:
        if one.component != MONITORING and one.span.seen <= first.span.begin:
            return f"{one.words} at {clock(one.span.seen)}, before {first.words}"
    return ""


def _below(first: Move, moves: Sequence[Move], step: float) -> str:
    """Return a sign that a dependency failed, or soon did, however brief."""
    if first.component == MONITORING:
        below: tuple[str, ...] = ORDER
    else:
        below = ORDER[: ORDER.index(first.component)]
    since, until = first.span.begin - QUIET * step, first.span.seen + FELT * step
    for one in moves:
        if one.component in below and one.span.last >= since and one.span.begin < until:
            return f"{first.words}, but {one.words} as well ({when(one.span)})"
    return ""


def _silent(first: Move, news: Mapping[str, Sequence[float]], step: float) -> str:
    """A component of which nothing is known at that time."""
    if first.component == MONITORING:
        return ""
    for name in ORDER[: ORDER.index(first.component)]:
        around = [
            any(first.span.begin - GAP * step <= t <= first.span.begin + step for t in news[name]),
            any(first.span.seen - step <= t <= first.span.seen + GAP * step for t in news[name]),
        ]
        if not all(around):
            return f"{first.words}, but nothing is known of {name} at that time"
    return ""


def _unfelt(first: Move, moves: Sequence[Move], step: float) -> str:
    """Nobody else noticed, so that perhaps only the scrape failed."""
    if first.component in (MONITORING, ORDER[-1]):
        return ""
    end = first.span.seen + FELT * step
    if any(m.kind == "felt" and first.span.begin <= m.span.seen <= end for m in moves):
        return ""
    return f"{first.words} {when(first.span)}, but nobody felt it: perhaps only the scrape failed"


def _loaded(first: Move, moves: Sequence[Move], step: float) -> str:
    """A service that does not answer may have been asked too much."""
    if first.component not in SERVICES:
        return ""
    since = first.span.begin - QUIET * step
    for one in moves:
        if one.kind == "load" and one.span.last >= since and one.span.begin < first.span.seen:
            return f"{first.words}, but {one.words} as well ({when(one.span)})"
    return ""
