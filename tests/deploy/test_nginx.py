"""The reverse proxy, a real nginx: routes, refusals, limits, addresses, logs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from observability import catalog
from observability.stack.config.deployments import cloudflare
from observability.stack.programs import tools
from observability.stack.settings import load
from tests.deploy.proxy import RunningProxy, start
from tests.parts import PATIENCE, ROOT, Answer, Service, free_port, request, wait_for
from tests.web.visitor import member

BY_PORT = ("web", "api")


def address(service: Service) -> str:
    return service.url.removeprefix("http://")


@pytest.fixture(scope="module")
def proxy(
    api: Service, web: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProxy]:
    folder = tmp_path_factory.mktemp("nginx")
    # Who stands for Grafana is told apart by its answers: web.
    with start(folder, address(api), address(web), grafana=address(web)) as proxy:
        yield proxy


def log_lines(proxy: RunningProxy, **fields: object) -> list[dict[str, object]]:
    """The lines that have these fields."""
    lines = [json.loads(line) for line in proxy.log.read_text().splitlines()]
    return [line for line in lines if fields.items() <= line.items()]


def test_plain_http_is_sent_to_tls_with_its_path(proxy: RunningProxy) -> None:
    connection = subprocess.run(
        ["curl", "--silent", "--include", proxy.url("http") + "/a%20b?c=d"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert connection.stdout.startswith("HTTP/1.1 308 ")
    assert "Location: https://127.0.0.1/a%20b?c=d\n" in connection.stdout.replace("\r", "")


def test_people_reach_the_pages_over_tls_and_their_cookies_stay_there(proxy: RunningProxy) -> None:
    status, headers, body = proxy.secure("GET", "/public")
    assert (status, b"MiniTwit" in body) == (200, True)
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "nginx/" not in headers["Server"]
    form = {"username": "tls", "email": "a@b.example", "password": "pw-of-tls"}
    form["password2"] = form["password"]
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert proxy.secure("POST", "/register", urllib.parse.urlencode(form), **kind)[0] == 302
    status, headers, _ = proxy.secure("POST", "/login", urllib.parse.urlencode(form), **kind)
    cookies = headers.get_all("Set-Cookie") or []
    assert status == 302 and cookies
    assert all(cookie.startswith("__Host-") for cookie in cookies)
    assert all("secure" in cookie.lower() and "Path=/;" in cookie for cookie in cookies)


def test_cookies_of_plain_http_are_nobodys_over_tls(proxy: RunningProxy) -> None:
    """A cookie planted over plain HTTP signs no one in over TLS."""
    visitor = member(proxy.url("web"), "Plain")
    assert not any(name.startswith("__Host-") for name in visitor.cookies)
    assert visitor.get("/").status == 200
    sent = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    status, headers, _ = proxy.secure("GET", "/", Cookie=sent)
    assert (status, headers["Location"]) == (302, "/public")


@pytest.mark.parametrize(("address", "warned"), [("0.0.0.0", True), ("127.0.0.1", False)])  # noqa: S104
def test_a_plain_port_that_is_open_is_warned_of(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], address: str, warned: bool
) -> None:
    nobody = "127.0.0.1:9"
    with start(tmp_path, nobody, nobody, environment={"PLAIN_API": address}):
        said = capfd.readouterr().err
    assert (f"WARNING: PLAIN_API={address}" in said) == warned


def test_the_api_is_reached_by_port_by_path_and_by_name(proxy: RunningProxy) -> None:
    assert "latest" in proxy.get("api", "/latest").json()
    assert proxy.secure("GET", "/api/openapi.json")[0] == 200
    assert proxy.secure("GET", "/latest", Host="api.example.org")[0] == 200
    assert proxy.secure("GET", "/latest")[0] == 404  # a page of a user that is not there
    assert proxy.get("web", "/public").status == 200


def test_operators_reach_grafana_by_name(proxy: RunningProxy) -> None:
    assert proxy.secure("GET", "/public", Host="grafana.example.org")[0] == 200
    [line] = wait_for("the line", lambda: log_lines(proxy, route="grafana"))
    assert line["address"] == proxy.grafana
    status, headers, _ = proxy.secure("GET", "/grafana", Host="localhost")
    assert (status, headers["Location"]) == (308, "https://grafana.localhost/")
    assert proxy.secure("GET", "/grafana", Host="made-up.example")[0] == 421


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/%6detrics", "//metrics", "/x/../readyz"])
def test_metrics_and_health_detail_are_refused_from_outside(proxy: RunningProxy, path: str) -> None:
    for port in BY_PORT:
        curl = ["curl", "--silent", "--path-as-is", "--output", os.devnull]
        curl += ["--write-out", "%{http_code}", proxy.url(port) + path]
        assert subprocess.run(curl, capture_output=True, text=True, check=True).stdout == "403"
    assert proxy.secure("GET", path)[0] == 403
    assert proxy.secure("GET", path, Host="api.example.org")[0] == 403


def test_whether_it_lives_is_told_and_no_more(proxy: RunningProxy) -> None:
    for port in BY_PORT:
        assert proxy.get(port, "/healthz").body == b"ok\n"


def test_a_request_is_one_line_with_the_id_that_the_service_logs(
    proxy: RunningProxy, api: Service
) -> None:
    before = datetime.now(UTC)
    proxy.get("api", "/latest", **{"X-Request-ID": "through-nginx-1"})
    [line] = wait_for("the line", lambda: log_lines(proxy, request_id="through-nginx-1"))
    assert set(line) <= set(catalog.LOG_FIELDS)
    assert line["event"] in catalog.EVENTS
    when = datetime.fromisoformat(str(line["ts"]))
    assert before - timedelta(seconds=1) < when <= datetime.now(UTC)
    assert (line["route"], line["status"], line["level"]) == ("api", 200, "info")
    assert isinstance(line["duration_ms"], int)
    wait_for("the same id", lambda: "through-nginx-1" in api.log_file.read_text())


def test_a_stranger_cannot_say_which_trace_a_request_belongs_to(
    proxy: RunningProxy, api: Service
) -> None:
    theirs = "ab" * 16
    headers = {"X-Request-ID": "with-a-trace-1", "traceparent": f"00-{theirs}-{'cd' * 8}-01"}

    def trace(identity: str) -> object:
        lines = [line for line in api.logs() if line.get("request_id") == identity]
        return lines[0]["trace_id"] if lines else None

    proxy.get("api", "/latest", **headers)
    assert wait_for("the line", lambda: trace("with-a-trace-1")) != theirs
    api.get("/latest", **headers | {"X-Request-ID": "with-a-trace-2"})
    own = wait_for("the line", lambda: trace("with-a-trace-2"))
    assert own == theirs, "without nginx it would have been believed"


def test_an_id_that_is_none_is_replaced(proxy: RunningProxy, api: Service) -> None:
    answer = proxy.get("api", "/latest", **{"X-Request-ID": 'x"} {"forged": "line'})
    assert len(answer.headers["x-request-id"]) == 32
    wait_for("the line", lambda: log_lines(proxy, request_id=answer.headers["x-request-id"]))


def test_only_cloudflare_may_say_who_asks(proxy: RunningProxy, api: Service) -> None:
    names = {"X-Forwarded-For": "6.6.6.6", "CF-Connecting-IP": "6.6.6.6"}
    proxy.get("api", "/latest", **names, **{"X-Request-ID": "who-asks-1"})
    [line] = wait_for("the line", lambda: log_lines(proxy, request_id="who-asks-1"))
    assert line["client"] == "127.0.0.1"

    def logged() -> list[str]:
        return [row for row in api.log_file.read_text().splitlines() if "who-asks-1" in row]

    assert "6.6.6.6" not in wait_for("the service's line", logged)[0]


def test_cloudflares_networks_are_data(proxy: RunningProxy) -> None:
    networks = [ip_network(text) for text in cloudflare()]
    assert len(networks) > 20
    assert not any(network.is_private for network in networks)
    config = (proxy.folder / "nginx.conf").read_text()
    assert all(f"set_real_ip_from {network};" in config for network in networks)


def test_a_huge_body_is_refused_in_the_contracts_shape(proxy: RunningProxy) -> None:
    for size in (65 * 1024, 200_000):  # the first by the service, the second by nginx
        answer = request("POST", proxy.url("api") + "/register", b"x" * size)
        assert answer.status == 413
        assert answer.json()["status"] == 413
        assert answer.json()["error_msg"]


def test_the_simulator_at_full_speed_meets_no_limit(
    proxy: RunningProxy, api: Service, tmp_path: Path
) -> None:
    """Every answer is api's own: its hashing queue may refuse, nginx never.

    At a pace of its own a machine that has no time would let connections wait until nginx gives up.
    """

    def served(status: str) -> float:
        return api.metric(catalog.HTTP_REQUESTS.name, status=status)

    before = {status: served(status) for status in ("204", "400", "404", "429", "502", "503")}
    report = tmp_path / "report.json"
    command = [
        sys.executable, "-m", "simulator", "--url", proxy.url("api"), "--max",
        "--clients", "32", "--actions", "1500", "--timeout", "60", "--report", str(report),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=PATIENCE)
    totals = json.loads(report.read_text())["totals"]
    assert totals["count"] == 1500
    by_api = {status: served(status) - before.get(status, 0) for status in totals["statuses"]}
    assert totals["statuses"] == by_api, totals
    assert not totals["statuses"].keys() - {"204", "400", "404", "503"}, totals
    assert totals["refused"] == totals["reset"] == totals["other"] == 0


def test_guessing_passwords_is_slowed(proxy: RunningProxy) -> None:
    def guess(number: int) -> int:
        form = urllib.parse.urlencode({"username": f"nobody{number}", "password": "wrong"})
        return request("POST", proxy.url("web") + "/login", form.encode()).status

    with ThreadPoolExecutor(40) as pool:
        statuses = Counter(pool.map(guess, range(200)))
    assert statuses[429] > 20, statuses
    # nginx lets fifty pass; on a busy machine the queue of hashing refuses some of those.
    assert statuses[200] + statuses[503] >= 50, statuses
    assert proxy.get("web", "/public").status == 200


def test_its_own_metrics_are_exported(proxy: RunningProxy) -> None:
    assert proxy.get("status", "/anything").status == 404
    program = tools.require(["nginx-exporter"], load().cache)["nginx-exporter"].path
    port = free_port()
    command = [
        str(program), f"--web.listen-address=127.0.0.1:{port}",
        f"--nginx.scrape-uri={proxy.url('status')}/stub_status",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as exporter:
        try:
            url = f"http://127.0.0.1:{port}/metrics"
            text = wait_for("the exporter", lambda: request("GET", url).body.decode())
            families = text_string_to_metric_families(text)
            values = {s.name: s.value for family in families for s in family.samples}
            assert values["nginx_up"] == 1
            assert values["nginx_http_requests_total"] > 0
        finally:
            exporter.terminate()


def test_who_is_away_is_told_in_the_contracts_shape_and_back_at_once(
    proxy: RunningProxy, api: Service, web: Service
) -> None:
    def reload_to(target: str) -> None:
        proxy.serve(target, address(web))
        os.kill(int(proxy.pid_file.read_text()), 1)

    def with_status(status: int) -> Answer | None:
        answer = proxy.get("api", "/latest")
        return answer if answer.status == status else None

    reload_to(f"127.0.0.1:{free_port()}")
    refused = wait_for("the refusal", lambda: with_status(502))
    assert refused.json()["error_msg"]
    wait_for("its line", lambda: log_lines(proxy, status=502, level="error"))
    reload_to(address(api))
    wait_for("the answer", lambda: proxy.get("api", "/latest").status == 200)


def test_the_log_is_begun_anew_without_losing_a_line(
    api: Service, web: Service, tmp_path: Path
) -> None:
    folder = tmp_path / "nginx"
    folder.mkdir()
    settings = {"LOG_BYTES": "6000", "ROTATE_SECONDS": "0.2"}
    with start(folder, address(api), address(web), environment=settings) as proxy:
        older = proxy.log.with_name("nginx.log.1")
        sent = 0
        deadline = time.monotonic() + PATIENCE
        while not older.exists() and time.monotonic() < deadline:
            assert proxy.get("api", "/latest").status == 200
            sent += 1
        wait_for("the new file", proxy.log.exists)
        assert proxy.get("api", "/latest").status == 200
        wait_for(
            "every line",
            lambda: sum(
                file.read_text().count('"route":"api"') for file in (older, proxy.log)
            ) == sent + 1,
        )  # fmt: skip
