"""What each of the database's roles may do: what it needs, and no more."""

from __future__ import annotations

import psycopg
import pytest

from app.database.migrate import migrate
from app.database.roles import ONE, RolesError, parse
from tests.parts import ROLES, PostgresServer, Service

REFUSED = {
    "app": (
        "COPY users FROM PROGRAM 'true'",
        "COPY users TO '/tmp/users'",
        "CREATE TABLE mine (id int)",
        "DROP TABLE users",
        "TRUNCATE messages",
        "DELETE FROM schema_version",
        "INSERT INTO backups VALUES (now(), 1)",
        "SELECT setval('users_id_seq', 1)",
        "CREATE ROLE other",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT pg_reload_conf()",
        "SELECT FROM sqlite_import_rejects",
    ),
    "import": (
        "COPY users FROM PROGRAM 'true'",
        "CREATE TABLE mine (id int)",
        "DROP TABLE users",
        "TRUNCATE messages",
        "SELECT FROM sessions",
        "SELECT setval('simulator_latest', 1)",
        "DELETE FROM schema_version",
        "CREATE ROLE other",
    ),
    "monitor": ("SELECT FROM users", "DELETE FROM users", "COPY users FROM PROGRAM 'true'"),
    "backup": ("DELETE FROM users", "DELETE FROM backups", "COPY users FROM PROGRAM 'true'"),
}
ALLOWED = {
    "app": ("SELECT setval('simulator_latest', 5)", "SELECT last_value FROM simulator_latest"),
    "import": ("SELECT setval('users_id_seq', 1)", "ANALYZE users", "DELETE FROM sqlite_import"),
    "monitor": ("SELECT query FROM pg_stat_activity", "SELECT pg_database_size('postgres')"),
    "backup": ("SELECT pw_hash FROM users", "INSERT INTO backups VALUES (now(), 1)"),
}


def attempt(server: PostgresServer, database: str, purpose: str, query: str) -> None:
    with psycopg.connect(server.role_url(purpose, database), autocommit=True) as connection:
        connection.execute(query.encode())


@pytest.mark.parametrize(("purpose", "query"), [(p, q) for p in REFUSED for q in REFUSED[p]])
def test_what_a_role_does_not_need_is_refused(
    postgres_server: PostgresServer, database_url: str, purpose: str, query: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        attempt(postgres_server, database_url.rpartition("/")[2], purpose, query)


@pytest.mark.parametrize(("purpose", "query"), [(p, q) for p in ALLOWED for q in ALLOWED[p]])
def test_what_it_needs_is_granted(
    postgres_server: PostgresServer, database_url: str, purpose: str, query: str
) -> None:
    attempt(postgres_server, database_url.rpartition("/")[2], purpose, query)


def test_api_as_it_runs_is_no_superuser(api: Service, database_url: str) -> None:
    """The role of its very sessions; what it serves all other tests see."""
    assert api.get("/latest").status == 200
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT DISTINCT usename, usesuper FROM pg_stat_activity JOIN pg_user USING (usename)"
            " WHERE datname = current_database() AND application_name = 'minitwit-api'"
        ).fetchall()
    assert found == [("minitwit_app", False)]


def test_a_database_of_an_older_version_is_converted(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("before", migrated=False)
    migrate(url)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        attempt(postgres_server, "before", "app", "SELECT FROM users")
    assert len(migrate(url, ROLES)) == len(ROLES)
    attempt(postgres_server, "before", "app", "SELECT FROM users")


def test_a_new_password_takes_the_place_of_the_old(
    postgres_server: PostgresServer, database_url: str
) -> None:
    [role] = parse("app minitwit_renewed first")
    for password in ("first", "second"):
        migrate(database_url, parse(f"app {role.name} {password}"))
        address = postgres_server.role_url("app", "postgres").replace("minitwit_app", role.name)
        psycopg.connect(address.replace("of-app", password)).close()
    assert "second" not in (postgres_server.home / "log").read_text()


def test_an_existing_superuser_role_loses_its_privileges(
    postgres_server: PostgresServer, database_url: str
) -> None:
    """Somebody made it by hand, or an older version did."""
    flags = "rolsuper, rolreplication, rolbypassrls, rolcreaterole, rolcreatedb"
    mighty = "SUPERUSER REPLICATION BYPASSRLS CREATEROLE CREATEDB"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE minitwit_mighty LOGIN {mighty} PASSWORD 'x'")
        migrate(database_url, parse("app minitwit_mighty second"))
        query = f"SELECT {flags} FROM pg_roles WHERE rolname = 'minitwit_mighty'"
        assert connection.execute(query).fetchone() == (False,) * 5


def test_a_malformed_list_of_roles_is_an_error_that_shows_no_password() -> None:
    assert parse(f"# {ONE}\n") == []
    with pytest.raises(RolesError, match="PURPOSE NAME PASSWORD"):
        parse("owner somebody secret")
    assert "secret" not in repr(parse("app somebody secret"))
