"""PostgreSQL: locked, read-only, full, without a backup."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg

from observability.stack.targets import PROBE_USER
from tests.drills.faults import Fault, repeated
from tests.drills.faults.clients import followed, post, read, register_again
from tests.drills.faults.processes import stopped
from tests.drills.site import Site


def locked(table: LiteralString = "messages") -> Fault:
    """Somebody's transaction holds a table."""

    @contextmanager
    def inject(site: Site) -> Iterator[None]:
        with site.database() as session, session.transaction():
            session.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield

    return inject


@contextmanager
def refused_follows(site: Site) -> Iterator[None]:
    """Somebody's transaction holds the table of follows, and clients ask for it."""
    with locked("follows")(site), repeated(followed, 0.2, 4)(site):
        yield


@contextmanager
def queue(site: Site) -> Iterator[None]:
    """Lock a table most of the time, but never for long, while many read it."""
    with repeated(hold, 0.02)(site), repeated(read, 0.01, 40)(site):
        yield


def hold(site: Site) -> None:
    """The table of messages is locked for a moment."""
    with locked()(site):
        time.sleep(0.2)  # this is the fault itself


@contextmanager
def slowed(site: Site) -> Iterator[None]:
    """Nothing fails, but two thirds of the time the table of messages is locked."""

    def hold_long(site: Site) -> None:
        with locked()(site):
            time.sleep(1)  # this is the fault itself

    with repeated(hold_long, 0.5)(site):
        yield


@contextmanager
def read_only(site: Site) -> Iterator[None]:
    """PostgreSQL takes no more writes, as after a failover to a standby."""
    _set(site, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield
    finally:
        _set(site, "ALTER SYSTEM RESET default_transaction_read_only")


@contextmanager
def read_only_unprobed(site: Site) -> Iterator[None]:
    """No more writes; people post, and the probes, which would notice first, are gone.

    The load does not: it waits until its next user is registered.
    """
    register_again(site)
    with stopped("blackbox")(site), read_only(site), repeated(post, 0.2)(site):
        yield


def _set(site: Site, statement: str) -> None:
    with site.database() as session:
        session.execute(statement)
        session.execute("SELECT pg_reload_conf()")


@contextmanager
def _refused(site: Site, condition: LiteralString) -> Iterator[None]:
    """PostgreSQL refuses the messages of the users that ``condition`` selects."""
    with site.database() as session:
        session.execute(f"""
            CREATE FUNCTION drill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF EXISTS (SELECT FROM users WHERE id = NEW.author_id AND {condition}) THEN
                    RAISE 'refused';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER drill BEFORE INSERT ON messages
            FOR EACH ROW EXECUTE FUNCTION drill();
        """)
        try:
            yield
        finally:
            session.execute("DROP FUNCTION drill CASCADE")


@contextmanager
def one_user_refused(site: Site) -> Iterator[None]:
    """PostgreSQL refuses the messages of one user, who tries again and again.

    Too few requests fail for the error ratio or a probe.
    """
    register_again(site)
    with _refused(site, "username = 'drill'"), repeated(post, 4)(site):
        yield


@contextmanager
def every_other_user_refused(site: Site) -> Iterator[None]:
    """PostgreSQL refuses the messages of half of the users, but not of the probe's."""
    with _refused(site, f"id % 2 = 0 AND username <> '{PROBE_USER}'"):
        yield


@contextmanager
def no_backup(site: Site) -> Iterator[None]:
    """No backup was taken since the day before yesterday."""
    with site.database() as session:
        session.execute("UPDATE backups SET taken_at = taken_at - interval '2 days'")
        try:
            yield
        finally:
            session.execute("INSERT INTO backups VALUES (now(), 1)")


@contextmanager
def connections(site: Site) -> Iterator[None]:
    """Sessions are left open, until nine of ten are taken."""
    with contextlib.ExitStack() as held, site.database() as session:

        def number(query: str) -> int:
            row = session.execute(query).fetchone()
            return int(row[0]) if row else 0

        limit = number("SELECT current_setting('max_connections')")
        while number("SELECT count(*) FROM pg_stat_activity WHERE datname <> ''") < 0.9 * limit:
            held.enter_context(site.database())
        yield


def disconnect(site: Site) -> None:
    """All sessions of api are ended by the server."""
    with contextlib.suppress(psycopg.OperationalError), site.database() as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name <> 'drill' AND datname = current_database()"
            " AND query NOT LIKE '%pg_stat%'"
        )
