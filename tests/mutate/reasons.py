"""Why no check notices a mutant, as far as that is known."""

from __future__ import annotations

Reasons = tuple[tuple[str, str, str], ...]
UNKNOWN = "a test is missing"
# operator, part of the mutant's title (file, line, what becomes what) → the reason
REASONS: Reasons = (
    (
        "inhibition",
        'alertmanager.yml.j2:80 \',service="web"',
        "equivalent: an ErrorRatio of api inhibits these by a pair of its own",
    ),
)
# The same for a running platform: what the other checks notice may be beyond a drill.
LIVE_REASONS: Reasons = (
    (
        "left-out",
        "catalog.ACTIVE_USERS",
        "a gauge that is not set shows 0, which is data; tests/app/test_counted.py notices",
    ),
    (
        "label",
        "logs.py",
        "the alert adds up the stages at which lines are dropped; test_logs.py tells them apart",
    ),
)


def reason(operator: str, title: str, reasons: Reasons = REASONS) -> str:
    """Return the reason why the mutant may survive; ``UNKNOWN`` if nobody gave one."""
    for name, part, why in reasons:
        if name == operator and part in title:
            return why
    return UNKNOWN
