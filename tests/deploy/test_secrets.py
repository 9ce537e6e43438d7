"""The secrets that deploy/secrets.sh makes: once, told to nobody, and good for verified TLS."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.database.roles import GRANTS, parse
from app.settings import COURSE
from tests.parts import ROOT


def run(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "deploy/secrets.sh"), str(folder)],
        env={**os.environ, **settings}, capture_output=True, text=True, check=True,
    )  # fmt: skip


def make(folder: Path, **settings: str) -> str:
    done = run(folder, **settings)
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def contents(folder: Path) -> dict[str, str]:
    return {f"{p.parent.name}/{p.name}": p.read_text() for p in folder.glob("*/*")}


def openssl(*arguments: str) -> str:
    return subprocess.run(
        ["openssl", *arguments], capture_output=True, text=True, check=True
    ).stdout


# What two services know of each other.
SHARED = (
    "probe_password", "simulator_password", "monitoring_password", "web_config", "chat_password",
    "deadman_secret", "monitoring_basic", "relay_key",
)  # fmt: skip


def test_a_folder_that_was_there_is_closed_too(folder: Path) -> None:
    """As docs/deploy-swarm.md has it: a managed database's password is put there first."""
    (folder / "database").mkdir(parents=True, mode=0o755)
    folder.chmod(0o755)
    make(folder)
    assert folder.stat().st_mode & 0o077 == 0


def test_they_are_made_once_and_told_to_nobody(folder: Path) -> None:
    output = make(folder)
    first = contents(folder)
    distinct = {name.rpartition("/")[2] for name in first}
    assert {n for n in distinct if sum(k.endswith(f"/{n}") for k in first) > 1} == {*SHARED}
    assert len(set(first.values())) == len(distinct)
    assert not any(text.strip() in output for name, text in first.items() if "user" not in name)
    assert folder.stat().st_mode & 0o077 == 0
    url = urlsplit(first["database/owner_url"])
    assert url.password == first["database/database_password"]
    assert make(folder) == ""
    assert contents(folder) == first


def test_each_role_has_a_password_that_only_its_service_and_the_owner_know(folder: Path) -> None:
    make(folder)
    known = contents(folder)
    roles = {role.purpose: role for role in parse(known["database/database_roles"])}
    assert roles.keys() == GRANTS.keys()
    url = urlsplit(known["api/app_url"])
    assert (url.username, url.password) == (roles["app"].name, roles["app"].password)
    for purpose in ("monitor", "backup"):
        assert known[f"{purpose}/{purpose}_user"] == roles[purpose].name
        assert known[f"{purpose}/{purpose}_password"] == roles[purpose].password
    owner = known["database/database_password"]
    assert {name.split("/")[0] for name, text in known.items() if owner in text} == {"database"}
    for role in roles.values():
        knowing = {name.split("/")[0] for name, text in known.items() if role.password in text}
        assert len(knowing) == 2 and "database" in knowing


def test_secrets_made_before_there_were_roles_are_converted(folder: Path) -> None:
    old = {
        "database/database_password": "old", "database/probe_password": "probe",
        "database/database_url": "postgresql://minitwit:old@postgres:5432/minitwit",
        "blackbox/probe_password": "probe",
    }  # fmt: skip
    for name, text in old.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    make(folder)
    known = contents(folder)
    assert urlsplit(known["database/owner_url"]).password == "old"
    assert known["api/probe_password"] == "probe"
    assert "database/database_url" not in known and "database/probe_password" not in known
    assert len(parse(known["database/database_roles"])) == len(GRANTS)


def test_secrets_made_before_the_import_had_a_role_get_one(folder: Path) -> None:
    make(folder)
    file = folder / "database/database_roles"
    before = [line for line in file.read_text().splitlines() if not line.startswith("import ")]
    file.chmod(0o600)
    file.write_text("\n".join(before) + "\n")
    (folder / "import/import_url").unlink()
    make(folder)
    roles = {role.purpose: role for role in parse(file.read_text())}
    assert roles.keys() == GRANTS.keys()
    url = urlsplit((folder / "import/import_url").read_text())
    assert (url.username, url.password) == (roles["import"].name, roles["import"].password)
    assert file.read_text().splitlines()[:3] == before
    assert make(folder) == ""


def test_a_managed_database_with_one_role_works_and_says_so(folder: Path) -> None:
    told = run(folder, DATABASE_ONE_ROLE="1").stderr
    assert "one role for everything" in told
    known = contents(folder)
    assert parse(known["database/database_roles"]) == []
    assert known["api/app_url"] == known["import/import_url"] == known["database/owner_url"]
    assert known["backup/backup_user"] == known["monitor/monitor_user"] == "minitwit"


def test_the_simulators_password_is_made_up_unless_it_is_given(folder: Path) -> None:
    make(folder)
    known = contents(folder)
    assert len(known["api/simulator_password"]) >= 40
    told = run(folder, SIMULATOR_PASSWORD=COURSE)
    assert "WARNING" in told.stderr and COURSE not in told.stdout + told.stderr
    known = contents(folder)
    for audience in ("api", "blackbox", "simulator"):
        assert known[f"{audience}/simulator_password"] == COURSE


def test_what_one_brings_oneself_stays(folder: Path) -> None:
    (folder / "tls").mkdir(parents=True)
    for name in ("tls_certificate", "tls_key"):
        (folder / "tls" / name).write_text("my own")
    make(folder)
    assert (folder / "tls/tls_certificate").read_text() == "my own"


def test_the_certificates_are_for_who_is_asked(folder: Path) -> None:
    make(folder, SITE="example.org", DATABASE_TLS="1", DATABASE_ADDRESS="db.internal:5432")
    site = openssl("x509", "-noout", "-text", "-in", str(folder / "tls/tls_certificate"))
    for name in ("example.org", "api.example.org", "grafana.example.org"):
        assert f"DNS:{name}" in site
    database = folder / "database"
    verified = openssl(
        "verify", "-CAfile", str(database / "database_ca"), "-verify_hostname", "db.internal",
        str(database / "database_certificate"),
    )  # fmt: skip
    assert "OK" in verified
    for url in (database / "owner_url", folder / "api/app_url"):
        assert url.read_text().endswith(
            "@db.internal:5432/minitwit?sslmode=verify-full&sslrootcert=/run/secrets/database_ca"
        )
