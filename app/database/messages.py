"""Repository of messages: posting, the simulator's lists, the timelines of the web page.

PostgreSQL builds the lists as JSON, and they are passed on unchanged. An author's name is looked
up row by row: with any query plan, rows stay in index order and the cost depends on the length of
the list, not on the size of the tables.
"""

from __future__ import annotations

import json

from app.database import lines
from app.database.latest import SET_LATEST
from app.database.lines import Size
from app.database.pool import Database, Row, Statement

PAGE = 30
HIDDEN_SECONDS = 600
FIRST = (2**63 - 1, 2**63 - 1)  # newer than any (pub_date, id)

ADD = Statement(
    "message_add",
    f"""
    WITH author AS (SELECT id FROM users WHERE username = %(username)s),
    added AS (
        INSERT INTO messages (author_id, text, pub_date)
        SELECT id, %(text)s, floor(extract(epoch FROM now())) FROM author)
    SELECT EXISTS (SELECT FROM author), {SET_LATEST}
    """,
)

# Messages of the probe user: stored like any other, in no list, deleted after a while.
_ADD_HIDDEN = Statement(
    "message_add_hidden",
    f"""
    WITH author AS (SELECT id FROM users WHERE username = %(username)s),
    old AS (
        DELETE FROM messages WHERE flagged AND author_id = (SELECT id FROM author)
        AND pub_date < floor(extract(epoch FROM now()))::bigint - {HIDDEN_SECONDS}),
    added AS (
        INSERT INTO messages (author_id, text, pub_date, flagged)
        SELECT id, %(text)s, floor(extract(epoch FROM now())), true FROM author)
    SELECT EXISTS (SELECT FROM author), {SET_LATEST}
    """,
)

# row_to_json writes no spaces, like the reference server.
_LIST = lines.array("""
    SELECT row_to_json(entry)::text AS line
    FROM (
        SELECT page.text AS content, page.pub_date,
            (SELECT username FROM users WHERE id = page.author_id) AS "user"
        FROM (
            SELECT author_id, text, pub_date FROM messages
            WHERE NOT flagged {condition}
            ORDER BY pub_date DESC, id DESC LIMIT %(no)s) page) entry
""")
NEWEST = Statement("messages_newest", f"SELECT ({_LIST.format(condition='')}), {SET_LATEST}")
NEWEST_BY = Statement(
    "messages_newest_by",
    f"""
    SELECT u.id IS NOT NULL, ({_LIST.format(condition="AND author_id = u.id")}), {SET_LATEST}
    FROM (VALUES (1)) one LEFT JOIN users u ON u.username = %(username)s
    """,
)

_VIEWER = """
    viewer AS (
        SELECT u.id, u.username FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.token_hash = %(token_hash)s AND s.expires_at > now())
"""
# The messages of a page as JSON, one on each line (JSON escapes line breaks), and the cursor of the
# last one. One more than is shown is selected, to know whether there are older ones.
_PAGE = """
    SELECT string_agg(json_build_object(
            'user', (SELECT username FROM users WHERE id = page.author_id),
            'text', page.text, 'pub_date', page.pub_date)::text, E'\\n') AS lines,
        (array_agg(page.pub_date))[%(limit)s - 1] AS pub_date,
        (array_agg(page.id))[%(limit)s - 1] AS id
    FROM ({rows} ORDER BY pub_date DESC, id DESC LIMIT %(limit)s) page
"""
_ROWS = """
    SELECT author_id, text, pub_date, id FROM messages
    WHERE NOT flagged AND (pub_date, id) < (%(pub_date)s, %(id)s)
"""
# The newest messages of each followed author come from the index and are merged: the cost depends
# on the number of authors, not on the number of their messages.
_FOLLOWED_ROWS = f"""
    SELECT newest.* FROM (
        SELECT followee_id AS id FROM follows WHERE follower_id = (SELECT id FROM viewer)
        UNION SELECT id FROM viewer) author
    CROSS JOIN LATERAL (
        {_ROWS} AND author_id = author.id ORDER BY pub_date DESC, id DESC LIMIT %(limit)s) newest
"""

_PUBLIC = Statement(
    "timeline_public",
    f"""
    WITH {_VIEWER}
    SELECT (SELECT username FROM viewer), NULL, NULL, page.*
    FROM ({_PAGE.format(rows=_ROWS)}) page
    """,
)
_HOME = Statement(
    "timeline_home",
    f"""
    WITH {_VIEWER}
    SELECT username, NULL, NULL, page.*
    FROM viewer CROSS JOIN LATERAL ({_PAGE.format(rows=_FOLLOWED_ROWS)}) page
    """,
)
_USER = Statement(
    "timeline_user",
    f"""
    WITH {_VIEWER}
    SELECT (SELECT username FROM viewer), author.username,
        EXISTS (SELECT FROM follows
            WHERE follower_id = (SELECT id FROM viewer) AND followee_id = author.id),
        page.*
    FROM users author
    CROSS JOIN LATERAL ({_PAGE.format(rows=_ROWS + " AND author_id = author.id")}) page
    WHERE author.username = %(username)s
    """,
)


async def add(database: Database, username: str, text: str, latest: int | None) -> bool:
    """Insert a message with the present time; False if the author is unknown."""
    parameters = {"username": username, "text": text, "latest": latest}
    return bool((await database.one(ADD, parameters))[0])


async def add_hidden(database: Database, username: str, text: str, latest: int | None) -> bool:
    """Insert a message that no list shows and that is deleted after ``HIDDEN_SECONDS``."""
    parameters = {"username": username, "text": text, "latest": latest}
    return bool((await database.one(_ADD_HIDDEN, parameters))[0])


async def newest(database: Database, size: Size, latest: int | None) -> str:
    """Return the newest messages as a JSON array, newest first."""
    return str((await database.one(NEWEST, {**size, "latest": latest}))[0])


async def newest_by(
    database: Database, username: str, size: Size, latest: int | None
) -> str | None:
    """Return the newest messages of one author as a JSON array; None if unknown."""
    parameters = {"username": username, **size, "latest": latest}
    known, messages, _ = await database.one(NEWEST_BY, parameters)
    return str(messages) if known else None


async def timeline(
    database: Database,
    kind: str,
    token_hash: bytes | None,
    before: tuple[int, int] = FIRST,
    username: str | None = None,
) -> str | None:
    """Return a page of ``public``, ``home`` or ``user`` as JSON, older than ``before``.

    ``before`` is (pub_date, id). None if there is no such user, or for ``home`` no such session.
    """
    parameters = {
        "token_hash": token_hash,
        "pub_date": before[0],
        "id": before[1],
        "limit": PAGE + 1,
        "username": username,
    }
    row = await database.first(TIMELINES[kind], parameters)
    return page(row) if row else None


def page(row: Row) -> str:
    """Return a row of a timeline's statement as JSON, its messages unchanged."""
    viewer, profile, following, lines, pub_date, number = row
    found = lines.split("\n") if lines else []
    head = json.dumps({"viewer": viewer, "profile": profile, "following": following})
    older = f'"{pub_date}.{number}"' if len(found) > PAGE else "null"
    return f'{head[:-1]}, "messages": [{", ".join(found[:PAGE])}], "older": {older}}}'


TIMELINES = {"public": _PUBLIC, "home": _HOME, "user": _USER}
