"""nginx with a known SITE refuses other hosts, also unreachable upstreams."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.attacks import connect, rest
from tests.deploy.proxy import RunningProxy, start
from tests.parts import Service, request

SITE = "minitwit.example"
PLAIN = ("http", "web", "api")


@pytest.fixture(scope="module")
def proxy(
    api: Service, web: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProxy]:
    folder = tmp_path_factory.mktemp("nginx")
    to_api, to_web = (service.url.removeprefix("http://") for service in (api, web))
    own = {"SITE": SITE, "HOSTS": "192.0.2.7"}
    with start(folder, to_api, to_web, grafana=to_web, environment=own) as proxy:
        yield proxy


def ask(proxy: RunningProxy, port: str, head: bytes) -> bytes:
    """The answer to a whole request but for its end."""
    with connect(f"http://127.0.0.1:{proxy.ports[port]}") as plain:
        if port != "https":
            plain.sendall(head + b"Connection: close\r\n\r\n")
            return rest(plain)
        trust = ssl.create_default_context(cafile=str(proxy.folder / "secrets/tls/tls_certificate"))
        with trust.wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(head + b"Connection: close\r\n\r\n")
            return rest(secure)


def get(host: bytes, path: bytes = b"/latest") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n"


@pytest.mark.parametrize("port", [*PLAIN, "https"])
@pytest.mark.parametrize("host", [b"evil.example", b"api.evil.example", b"grafana.evil.example"])
def test_an_unknown_host_is_refused(proxy: RunningProxy, port: str, host: bytes) -> None:
    answer = ask(proxy, port, get(host, b"/grafana"))
    assert answer.startswith(b"HTTP/1.1 421 "), answer
    assert b"evil.example" not in answer


@pytest.mark.parametrize("host", [SITE.encode(), b"api." + SITE.encode(), b"192.0.2.7:5001"])
def test_a_known_host_is_answered(proxy: RunningProxy, host: bytes) -> None:
    assert ask(proxy, "api", get(host)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("port", ["web", "api", "https"])
def test_the_request_line_and_the_header_name_one_host(proxy: RunningProxy, port: str) -> None:
    line = b"GET http://" + SITE.encode() + b"/latest HTTP/1.1\r\nHost: "
    for host in (b"evil.example", SITE.encode() + b".evil.example", SITE.encode() + b":5001/"):
        answer = ask(proxy, port, line + host + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 400 "), answer
    for host in (SITE.encode(), SITE.encode().upper() + b":5001"):
        answer = ask(proxy, port, line + host + b"\r\n")
        assert answer.split()[1] in (b"200", b"404"), answer


@pytest.mark.parametrize("said", [b"0", b"1", b"299", b"0400", b"1e9"])
def test_no_outsider_makes_errors_by_having_no_time(proxy: RunningProxy, said: bytes) -> None:
    """They would be counted as ours: an alert, and no deploy while it fires."""
    no_time = b"X-Timeout-Ms: " + said + b"\r\n"
    for port, path in (("api", b"/latest"), ("api", b"/api/timelines/public"), ("web", b"/public")):
        answer = ask(proxy, port, get(SITE.encode(), path) + no_time)
        assert answer.startswith(b"HTTP/1.1 200 "), answer


def test_port_80_redirects_to_known_hosts(proxy: RunningProxy) -> None:
    answer = ask(proxy, "http", get(SITE.encode(), b"/a?b=c"))
    assert answer.startswith(b"HTTP/1.1 308 ")
    assert b"Location: https://minitwit.example/a?b=c\r\n" in answer


@pytest.mark.parametrize("port", [*PLAIN, "https"])
@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: localhost\r\n"])
def test_a_host_is_said_once(proxy: RunningProxy, port: str, hosts: bytes) -> None:
    answer = ask(proxy, port, b"GET /latest HTTP/1.1\r\n" + hosts)
    assert answer.startswith(b"HTTP/1.1 400 "), answer


@pytest.mark.parametrize("with_nginx", [True, False])
def test_an_offer_of_h2c_is_an_ordinary_request(
    proxy: RunningProxy, api: Service, with_nginx: bool
) -> None:
    """As Java's client makes it by default; asked without nginx, a service loses the body."""
    address = f"http://127.0.0.1:{proxy.ports['api']}" if with_nginx else api.url
    offer = b"Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
    offer += b"Connection: Upgrade, HTTP2-Settings\r\n"
    body = b'{"username": "Java", "email": "a@b.example", "pwd": "pw"}'
    head = b"POST /register HTTP/1.1\r\nHost: localhost\r\nX-Timeout-Ms: 60000\r\n"
    head += b"Content-Length: %d\r\n" % len(body)
    with connect(address) as connection:
        connection.sendall(head + offer + b"\r\n" + body)
        answer = connection.recv(100)
    assert answer.startswith(b"HTTP/1.1 204 " if with_nginx else b"HTTP/1.1 400 "), answer


NOBODY = "127.0.0.1:9"  # nginx answers 502 for it


def test_a_network_of_ipv6_is_one_client(tmp_path: Path) -> None:
    """A client with a /64 has any number of addresses."""
    with start(tmp_path, NOBODY, NOBODY, trusted="127.0.0.1") as proxy:

        def status(address: str) -> int:
            headers = {"CF-Connecting-IP": address}
            return request("POST", proxy.url("web") + "/login", b"", headers).status

        def statuses(address: str) -> list[int]:
            # Side by side: one after the other may be slower than what is allowed.
            with ThreadPoolExecutor(40) as pool:
                return list(pool.map(status, (address.format(n) for n in range(1, 301))))

        assert set(statuses("2001:db8:0:{:x}::1")) == {502}
        assert 429 in statuses("2001:db8:1:1::{:x}")  # a burst of 50, then ten a second


@pytest.mark.parametrize("with_nginx", [True, False])
def test_trailers_do_not_reach_a_service(
    proxy: RunningProxy, api: Service, with_nginx: bool
) -> None:
    """30 MB of them; asked without nginx, a service keeps them until the request ends."""
    process = Path(f"/proc/{api.process.pid}")
    (process / "clear_refs").write_text("5")  # resets the peak
    before = peak(process)
    head = b"POST /register HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    address = f"http://127.0.0.1:{proxy.ports['api']}" if with_nginx else api.url
    with connect(address) as connection:
        connection.sendall(head + b"2\r\n{}\r\n0\r\n")
        piece = (b"X-Trailer: " + b"x" * 4000 + b"\r\n") * 64
        try:
            for _ in range(120):
                connection.sendall(piece)
            connection.sendall(b"\r\n")
            connection.settimeout(15)
            connection.recv(100)
        except OSError:
            pass  # it had heard enough
    assert (peak(process) - before < 15e6) == with_nginx


def peak(process: Path) -> float:
    """The most memory that it had, in bytes."""
    status = (process / "status").read_text()
    return float(status.partition("VmHWM:")[2].split()[0]) * 1024
