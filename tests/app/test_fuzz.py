"""More than 10,000 generated requests: schemathesis, with all its checks, over the served document.

What is switched off for single operations is in ``schemathesis.toml``, each with its reason.
To look for new ones: ``FUZZ_SEED=$RANDOM make test``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.api import openapi
from observability import catalog
from tests.parts import ROOT, PostgresServer, Service, start_service

SEED = int(os.environ.get("FUZZ_SEED", "20261123"))
RUNS = 2  # beside one another, one a core
ENOUGH = 10_000
NAMES = ("known user", "other user")
TOOL = Path(sys.executable).with_name("schemathesis")


@pytest.fixture(scope="module")
def attacked(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """An api of its own, with the users that schemathesis.toml names."""
    folder = tmp_path_factory.mktemp("fuzz")
    with start_service(
        "api", folder, DATABASE_URL=postgres_server.create_database("fuzz")
    ) as service:
        for name in NAMES:
            body = {"username": name, "email": "a@b.c", "pwd": "pw"}
            assert service.send("POST", "/register", body).status == 204
        yield service


def session(api: Service) -> str:
    answer = api.send("POST", "/api/sessions", {"username": NAMES[0], "password": "pw"})
    return str(answer.json()["token"])


def fuzz(api: Service, seed: int) -> subprocess.Popen[str]:
    command = (
        f"{TOOL} --config-file {ROOT / 'tests/app/schemathesis.toml'} run --no-color"
        f" --seed {seed} --url {api.url} {api.url}/api/openapi.json"
    )
    tokens = {"SESSION": session(api), "SESSION_TO_END": session(api)}
    return subprocess.Popen(
        command.split(),
        cwd=api.log_file.parent,
        env=os.environ | tokens,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.timeout(1600)  # two minutes where nothing else runs
def test_ten_thousand_generated_requests(attacked: Service) -> None:
    runs = [fuzz(attacked, SEED + number) for number in range(RUNS)]
    reports = [run.communicate(timeout=1500)[0] for run in runs]
    for run, report in zip(runs, reports, strict=True):
        assert run.returncode == 0, report
    made = sum(int(n) for report in reports for n in re.findall(r"(\d+) generated", report))
    assert made >= ENOUGH, reports
    print(f"\n{made} requests generated, none failed")
    assert attacked.metric(catalog.HTTP_REQUESTS.name) >= ENOUGH
    assert not [line for line in attacked.logs() if line.get("status", 0) >= 500]
    assert not [line for line in attacked.logs() if line["event"] == "unhandled"]


def test_every_operation_succeeded_and_failed_on_the_way(attacked: Service) -> None:
    """Requests that are all refused at the door would find nothing."""
    seen = {
        (line["method"], line["route"].replace(":path", ""), line["status"] // 100)
        for line in attacked.logs()
        if line["event"] in ("request", "invalid_request")
    }
    for path, operations in openapi.DOCUMENT["paths"].items():
        for method, operation in operations.items():
            for status in {int(code) // 100 for code in operation["responses"]} - {5}:
                assert (method.upper(), path, status) in seen


def test_it_is_well_and_small_afterwards(attacked: Service) -> None:
    assert attacked.get("/readyz").status == 200
    assert attacked.get("/msgs", Authorization="Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh").status == 200
    exposition = attacked.get("/metrics").body.decode()
    series = [line for line in exposition.splitlines() if not line.startswith("#")]
    assert len(series) <= catalog.SERIES_BUDGET
    json.dumps(attacked.logs()[-1])
