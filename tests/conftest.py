"""Fixtures: a real PostgreSQL server, and the services as processes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from observability.instrument import redaction
from tests import parts
from tests.parts import PostgresServer, Service, start_service
from tests.untested import pytest_addoption, pytest_sessionfinish, pytest_unconfigure

__all__ = ["pytest_addoption", "pytest_sessionfinish", "pytest_unconfigure"]  # hooks of pytest

# The same examples in every run, so that red means that the code changed, and all the time that a
# busy machine takes. To look for new ones: HYPOTHESIS_PROFILE=default make test
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def on_platform(item: pytest.Item) -> bool:
    """Whether a test asks for the whole platform, which a process starts once."""
    return "stack" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start with the longest files, which wait while other processes compute."""
    if hasattr(config, "workerinput"):
        items.sort(key=on_platform, reverse=True)


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """What a test made known as a secret is not one for the next test."""
    with redaction.forgetting():
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run, on a free port."""
    with parts.postgres_server() as server:
        yield server


_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def database_url(postgres_server: PostgresServer) -> str:
    """An empty, migrated database for the module, as its owner."""
    return postgres_server.create_database(f"test{next(_numbers)}")


@pytest.fixture(scope="module")
def app_url(postgres_server: PostgresServer, database_url: str) -> str:
    """The module's database for the role that api has in every deployment."""
    return postgres_server.role_url("app", database_url.rpartition("/")[2])


@pytest.fixture(scope="module")
def api(app_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The api service on the module's database."""
    folder = tmp_path_factory.mktemp("api")
    with start_service("api", folder, DATABASE_URL=app_url) as service:
        yield service


@pytest.fixture(scope="module")
def web(api: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The web service in front of the module's api."""
    folder = tmp_path_factory.mktemp("web")
    with start_service("web", folder, API_URL=api.url) as service:
        yield service
