"""Repository of the follow relation."""

from __future__ import annotations

from typing import Literal

from app.database import lines
from app.database.latest import SET_LATEST
from app.database.lines import Size
from app.database.pool import Database, Statement

Action = Literal["follow", "unfollow"]

_CHANGE = """
    WITH actor AS (SELECT id FROM users WHERE username = %(username)s),
    target AS (SELECT id FROM users WHERE username = %(target)s),
    changed AS ({change} RETURNING 1)
    SELECT EXISTS (SELECT FROM actor) AND EXISTS (SELECT FROM target),
        EXISTS (SELECT FROM changed), {set_latest}
"""
CHANGES = {
    "follow": Statement(
        "follow_add",
        _CHANGE.format(
            set_latest=SET_LATEST,
            change="INSERT INTO follows (follower_id, followee_id)"
            " SELECT actor.id, target.id FROM actor, target ON CONFLICT DO NOTHING",
        ),
    ),
    "unfollow": Statement(
        "follow_remove",
        _CHANGE.format(
            set_latest=SET_LATEST,
            change="DELETE FROM follows USING actor, target"
            " WHERE follower_id = actor.id AND followee_id = target.id",
        ),
    ),
}
_NAMES = lines.array("""
    SELECT to_json((SELECT username FROM users WHERE id = page.followee_id))::text AS line
    FROM (SELECT followee_id FROM follows WHERE follower_id = u.id
          ORDER BY id LIMIT %(no)s) page
""")
LIST = Statement(
    "follows_list",
    f"""
    SELECT u.id IS NOT NULL, '{{"follows":' || ({_NAMES}) || '}}', {SET_LATEST}
    FROM (VALUES (1)) one LEFT JOIN users u ON u.username = %(username)s
    """,
)


async def change(
    database: Database, action: Action, username: str, target: str, latest: int | None
) -> bool | None:
    """Follow or unfollow; return whether that changed anything, None for an unknown user."""
    parameters = {"username": username, "target": target, "latest": latest}
    known, changed, _ = await database.one(CHANGES[action], parameters)
    return bool(changed) if known else None


async def names(database: Database, username: str, size: Size, latest: int | None) -> str | None:
    """Return ``{"follows":[names]}`` as JSON, oldest follow first; None for an unknown user."""
    parameters = {"username": username, **size, "latest": latest}
    known, follows, _ = await database.one(LIST, parameters)
    return str(follows) if known else None
