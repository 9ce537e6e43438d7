"""The secrets that deploy/secrets.sh makes: once, told to nobody, and good for verified TLS."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.parts import ROOT


def make(folder: Path, **settings: str) -> str:
    done = subprocess.run(
        [str(ROOT / "deploy/secrets.sh"), str(folder)],
        env={**os.environ, **settings}, capture_output=True, text=True, check=True,
    )  # fmt: skip
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


def test_they_are_made_once_and_told_to_nobody(folder: Path) -> None:
    output = make(folder)
    first = contents(folder)
    assert first.pop("blackbox/probe_password") == first["database/probe_password"]
    assert len(set(first.values())) == len(first) == 7
    assert not any(text.strip() in output for text in first.values())
    assert folder.stat().st_mode & 0o077 == 0
    url = urlsplit(first["database/database_url"])
    assert url.password == first["database/database_password"]
    assert make(folder) == ""
    assert contents(folder).items() >= first.items()


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
    url = (database / "database_url").read_text()
    assert url.endswith(
        "@db.internal:5432/minitwit?sslmode=verify-full&sslrootcert=/run/secrets/database_ca"
    )
