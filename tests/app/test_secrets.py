"""Secrets in every input reach neither log, output, metrics nor spans."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.collector import Collector, receiver
from tests.parts import Service, postgres_server, request, start_service, wait_for
from tests.web.visitor import Visitor


class Secrets:
    """Hands out secrets, each distinct, and remembers them with where they went."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}

    def new(self, where: str) -> str:
        secret = "S" + secrets.token_hex(9)
        self.given[secret] = where
        return secret

    def found(self, text: str) -> list[str]:
        return [where for secret, where in self.given.items() if secret in text]


def attack_api(api: Service, hidden: Secrets) -> None:
    new = hidden.new
    good, mail = new("pwd of a registration"), f"{new('e-mail')}@example.org"
    body = {"username": "keeper", "email": mail, "pwd": good}
    assert api.send("POST", "/register", body).status == 204
    assert api.send("POST", "/register", body).status == 400
    for broken in ({"pwd": new("pwd alone")}, {"username": "x", "pwd": [new("pwd in a list")]}):
        assert api.send("POST", "/register", broken).status == 400
    half = f'{{"username":"x","pwd":"{new("pwd in half a body")}"'.encode()
    assert api.send("POST", "/register", half).status == 400
    wrong = {"username": "keeper", "password": new("wrong password")}
    assert api.send("POST", "/api/sessions", wrong).status == 401
    session = api.send("POST", "/api/sessions", {"username": "keeper", "password": good})
    hidden.given[session.json()["token"]] = "session token"
    basic = b64encode(f"simulator:{new('basic')}".encode()).decode()
    hidden.given[basic] = "basic, encoded"
    for authorization in (f"Basic {basic}", f"Bearer {new('bearer')}", new("no scheme")):
        assert api.get("/msgs", Authorization=authorization).status == 403
    bearer = f"Bearer {session.json()['token']}"
    for text in (new("message"), "\0" + new("message with NUL")):
        api.send("POST", "/api/messages", {"text": text}, Authorization=bearer)
    for header in ("Cookie", "X_Api_Key", "Proxy_Authorization", "User_Agent", "Referer"):
        api.get("/latest", **{header: f"token={new(header)}"})
    for place in ("/msgs?token={}", "/latest?latest={}", "/msgs/{}", "/fllws/{}", "/{}", "/api/{}"):
        api.get(place.format(quote(new(place))))


def attack_web(web: Service, hidden: Secrets) -> None:
    new = hidden.new
    visitor = Visitor(web.url)
    visitor.cookies = {"minitwit_session": new("cookie of a session"), "other": new("a cookie")}
    visitor.get("/public")
    visitor.cookies = {}
    password = new("password in a form")
    fields = {"username": "Web", "email": f"{new('e-mail in a form')}@example.org"}
    visitor.form("/register", **fields, password=password, password2=new("password2"))
    visitor.form("/register", **fields, password=password, password2=password)
    visitor.form("/login", username="Web", password=new("wrong password in a form"))
    visitor.form("/login", username="Web", password=password)
    hidden.given[visitor.cookies["minitwit_session"]] = "session of the web"
    visitor.form("/add_message", text=new("message in a form"))
    for place in ("/login?password={}", "/{}", "/{}/follow", "/public?page={}", "/static/{}"):
        visitor.get(place.format(new(place)))


def break_statements(url: str, api: Service, hidden: Secrets) -> None:
    """The server refuses rows, and says in its message's detail what they held."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE users ADD CHECK (email NOT LIKE '%refused%') NOT VALID")
    body = {
        "username": hidden.new("name in a refused row"),
        "email": f"refused-{hidden.new('e-mail in a refused row')}@example.org",
        "pwd": hidden.new("pwd of a refused row"),
    }
    assert api.send("POST", "/register", body).status == 500


@contextmanager
def services(
    folder: Path, url: str, hidden: Secrets
) -> Iterator[tuple[Collector, Service, Service]]:
    """Run a collector, api and web with a secret in every setting."""
    with receiver() as collector:
        common = {
            "LOG_STDOUT": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={hidden.new('header to the collector')}",
            "OTEL_TRACES_SAMPLER": "always_on",
        }
        settings = {"DATABASE_URL": url, "SIMULATOR_PASSWORD": hidden.new("SIMULATOR_PASSWORD")}
        with start_service("api", folder, None, **settings, **common) as api:
            settings = {"API_URL": api.url, "SECRET_KEY": hidden.new("SECRET_KEY")}
            with start_service("web", folder, None, **settings, **common) as web:
                yield collector, api, web


def test_no_secret_gets_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hidden = Secrets()
    with postgres_server() as server:
        url = server.create_database("hidden")
        hidden.given[url.split("@")[0].rpartition(":")[2]] = "DATABASE_URL"
        with services(tmp_path, url, hidden) as (collector, api, web):
            attack_api(api, hidden)
            attack_web(web, hidden)
            break_statements(url, api, hidden)
            server.stop()
            wait_for("not ready", lambda: api.get("/readyz").status == 503)
            attack = {"username": "x", "email": "a@b", "pwd": hidden.new("pwd without a database")}
            assert api.send("POST", "/register", attack).status == 503
            Visitor(web.url).form("/login", username="x", password=hidden.new("form without api"))
            assert request("GET", f"{web.url}/metrics").status == 200
            metrics = (api.get("/metrics").body + web.get("/metrics").body).decode()
        spans = b"".join(collector.bodies).decode("latin-1")
        logs = api.log_file.read_text() + web.log_file.read_text()
        for event in ("unhandled", "db_error", "invalid_request", "request"):
            assert f'"event":"{event}"' in logs, "the run must have been eventful"
    out, err = capfd.readouterr()
    assert '"event":"request"' in out
    assert len(hidden.given) > 40
    assert hidden.found(logs) == []
    assert hidden.found(out + err) == []
    assert hidden.found(metrics) == []
    assert {"GET /{username}", "POST /login", "POST /register"} <= {
        span.name for span in collector.spans
    }
    assert hidden.found(spans) == []
