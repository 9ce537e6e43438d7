"""A made-up, doubled or missing Host, asked of the services themselves."""

from __future__ import annotations

import pytest

from tests.attacks import connect, rest
from tests.parts import Service

END = b"Connection: close\r\n\r\n"


@pytest.fixture(params=["api", "web"])
def service(request: pytest.FixtureRequest, api: Service, web: Service) -> Service:
    """Either service."""
    return {"api": api, "web": web}[request.param]


def ask(service: Service, path: bytes, hosts: bytes) -> bytes:
    with connect(service.url) as connection:
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\n" + hosts + END)
        return rest(connection).lower()


@pytest.mark.parametrize("path", [b"/login/", b"/latest/", b"//evil.example/", b"/msgs/"])
def test_no_answer_repeats_a_made_up_host(service: Service, path: bytes) -> None:
    answer = ask(service, path, b"Host: made-up.example\r\n")
    assert b"made-up.example" not in answer
    assert b"location: http" not in answer
    assert b"location: //" not in answer


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nHost: b\r\n"])
@pytest.mark.parametrize("path", [b"/latest", b"/login", b"/nowhere/at/all"])
def test_a_missing_or_repeated_host_is_refused(service: Service, path: bytes, hosts: bytes) -> None:
    assert ask(service, path, hosts).startswith(b"http/1.1 400 ")
