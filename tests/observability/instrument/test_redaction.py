"""No secret comes out: known ones, credentials in URLs and headers, named values, addresses."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.settings import Environment
from observability import catalog
from observability.instrument import context, redaction
from observability.instrument.log_line import Record, make_line
from observability.instrument.logs import Log, LogSettings, capture_libraries
from observability.instrument.metrics import Meter
from tests.parts import Service, wait_for

CORE = "Zq7hunter2xK"  # in every secret: it must be nowhere in what comes out
MANY = settings(max_examples=100, deadline=None)


def words(alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Secrets: the core with anything of ``alphabet`` on either side."""
    side = st.text(alphabet, max_size=12)
    return st.builds(lambda a, b: a + CORE + b, side, side)


one_line = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
no_space = st.characters(exclude_categories=["Cs", "Cc", "Z"])
NAMES = st.sampled_from([
    "password", "pwd", "passwd", "db_password", "userPassword", "password2", "access_token",
    "SESSION", "session_id", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie",
    "secret", "SECRET_KEY", "api_key", "apiKey", "x-api-key", "pw_hash", "csrf_token", "email",
])  # fmt: skip
NAMED: list[Callable[[str, str], str]] = [
    lambda name, value: f"{name}={value}",
    lambda name, value: f"login failed: {name}: {value}",
    lambda name, value: f"{name} => {value}",
    lambda name, value: f"before\n{name}:{value}\nafter",
    lambda name, value: json.dumps({name: value, "id": 3}),
    lambda name, value: json.dumps({"body": json.dumps({name: value})}),
    lambda name, value: repr({name: value, "id": 3}),
    lambda name, value: f"/x?a=1&{name}={quote(value)}&b=2",
]


@given(NAMES, words(one_line), st.sampled_from(NAMED))
@MANY
def test_a_named_value_goes_with_the_rest_of_its_line(
    name: str, value: str, form: Callable[[str, str], str]
) -> None:
    cleaned = redaction.text(form(name, value))
    assert CORE not in cleaned
    assert name.lower() in cleaned.lower()


SHAPES: list[Callable[[str], str]] = [
    lambda s: f"Basic {s}",
    lambda s: f"sent bearer {quote(s)}",
    lambda s: f"postgresql://user:{s}@host:5432/name",
    lambda s: f"GET http://user:{s}@host:3100/push",
    lambda s: f"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${s}",
    lambda s: f"scrypt:32768:8:1$salt${s}",
    lambda s: f"sha1$salt${s}",
]


@given(words(no_space), st.sampled_from(SHAPES))
@MANY
def test_a_credential_is_masked_by_its_shape(value: str, form: Callable[[str], str]) -> None:
    assert CORE not in redaction.text(f"something {form(value)} happened")


@given(st.emails(), st.sampled_from(["{} ", "<{}>", '{{"x":"{}"}}', "({},1)", "x:{}"]))
@MANY
def test_addresses_are_masked(address: str, frame: str) -> None:
    local, _, domain = address.rpartition("@")
    for at in ("@", "%40"):
        cleaned = redaction.text(frame.format(f"{local[:20]}{CORE}{at}{domain}"))
        assert CORE not in cleaned


@pytest.mark.parametrize("frame", ["{}", "x={};", "/x/{}/y", "'{}'"])
def test_session_tokens_are_masked_by_their_shape(frame: str) -> None:
    for _ in range(300):
        token = secrets.token_urlsafe(32)
        assert token not in redaction.text(f"a word {frame.format(token)} another")


def test_the_secrets_of_this_process_are_masked_wherever_they_turn_up() -> None:
    known = 'p w"ord/ü+&' + CORE
    url = f"postgresql://u:{quote(known, safe='')}@h/d"
    Environment({"DATABASE_URL": url}).secret("DATABASE_URL")
    for form in (str, repr, json.dumps, quote, quote_plus, lambda s: quote(s, safe="")):
        for frame in ("plainly {} in a sentence", "{}", "x{}y"):
            assert CORE not in redaction.text(frame.format(form(known)))
    assert CORE not in json.dumps(redaction.fields({"route": known, "client": f"a{known}"}))


def test_a_short_setting_is_not_taken_for_a_secret_and_can_be_forgotten() -> None:
    with redaction.forgetting():
        redaction.know("correct horse battery")
        redaction.know("api")
        redaction.know("http://")
        assert redaction.text("api of a correct horse battery") == "api of a ***"
        assert redaction.text("http://u:x@host") == "http://***@host"
    assert redaction.text("a correct horse battery") == "a correct horse battery"


def test_only_fields_of_the_catalogue_are_written() -> None:
    given = {"error": {"password": CORE}, "unheard_of": CORE, "count": 3, "stack": None}
    assert redaction.fields(given) == {"error": "{'password':***", "count": 3, "stack": None}


def test_what_a_field_holds_may_be_anything() -> None:
    class Rude:
        def __str__(self) -> str:
            raise RuntimeError(CORE)

    cycle: dict[str, object] = {"password": CORE}
    cycle["self"] = cycle
    error = ValueError(f"password={CORE}", {"token": CORE})
    for value in (cycle, error, Rude(), b"\xffpassword=" + CORE.encode()):
        written = make_line("api", Record(1, "info", "request", "", {"error": value})).text
        assert CORE not in written
        assert json.loads(written)["event"] == "request"


def test_what_libraries_log_is_redacted(tmp_path: Path) -> None:
    before = logging.getLogger().handlers[:]
    log = Log(LogSettings(stdout=False, file=tmp_path / "app.log"), Meter(catalog.API))
    library = logging.getLogger("some.library")
    try:
        capture_libraries(log)
        library.warning("sent %s=%s for %r", "password", CORE, {"cookie": CORE})
        library.warning("%s and %s", f"token: {CORE}")  # arguments that do not fit
        try:
            raise ConnectionError(f"no route to postgresql://u:{CORE}@h/d")
        except ConnectionError:
            library.exception("failed for %s", f"{CORE}@example.org")
    finally:
        logging.getLogger().handlers[:] = before
    log.close()
    text = (tmp_path / "app.log").read_text()
    assert text.count("\n") == 3
    assert CORE not in text
    assert "ConnectionError" in text and "test_redaction.py" in text


ORDINARY = {
    "request_id": "0123456789abcdef01234567", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "span_id": "00f067aa0ba902b7", "method": "POST", "route": "/msgs/{username}", "status": 204,
    "duration_ms": 1.5, "db_ms": 0.2, "bytes": 0, "client": "192.0.2.1", "action": "loggedin",
    "outcome": "wrong_password", "reason": "Invalid password", "query": "session_user",
    "component": "asyncio", "version": "1.0.0", "address": "127.0.0.1:5001", "count": 3,
}  # fmt: skip


def test_what_operators_need_survives() -> None:
    assert redaction.fields(ORDINARY) == ORDINARY
    for text in (
        "You have to enter a valid email address",
        "You are not authorized to use this resource!",
        'password authentication failed for user "minitwit"',
        "[Errno 111] Connect call failed ('127.0.0.1', 5001)",
        'connection to server at "127.0.0.1", port 5432 failed: Connection refused',
        '  File "/srv/app/services/passwords.py", line 12, in hash',
        "app/web/cookies.py:12: DeprecationWarning",
        "57P01: terminating connection due to administrator command",
        "Task <Task pending name='Task-3' coro=<Server.serve()>> took 0.102 s",
        "sha 316920c6a1c7b6a4c8e6d0bb3c7de1c1a0f4c2f9d1b2c3d4e5f60718293a4b5c",
    ):
        assert redaction.text(text) == text


def test_an_offered_request_id_that_looks_like_a_token_is_not_taken_over() -> None:
    token = secrets.token_urlsafe(32).replace("_", "a")
    enter = copy_context().run
    assert enter(context.enter, token.encode()).request_id != token
    assert enter(context.enter, b"0123-abcd.ef").request_id == "0123-abcd.ef"


ADVERSE = (
    "a", " ", "\n", '"', "\\", "@", "a@", "%40", "://", "a:// ", "password", "password=",
    "basic ", "$2b$", "sha1:", "api_key_", "a" * 42 + " ", "aA", "é", "token-", "=", "a@.",
)  # fmt: skip


def seconds(text: str) -> float:
    began = time.process_time()
    redaction.text(text)
    return time.process_time() - began


@pytest.mark.parametrize("unit", ADVERSE)
def test_time_grows_with_the_length_and_no_faster(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times the text takes about ten times as long; a quadratic pattern, a hundred."""
    monkeypatch.setattr(redaction, "TEXT_LIMIT", 10**9)
    for begin, end in (("", ""), ("password ", "@"), ("'", '"')):
        short, long = (begin + unit * (size // len(unit)) + end for size in (5_000, 50_000))
        base = min(seconds(short) for _ in range(3))
        assert min(seconds(long) for _ in range(2)) < 40 * max(base, 0.001), (begin, end)


def test_a_long_text_is_cut_between_words() -> None:
    words = redaction.TEXT_LIMIT // 10 * "lorem abc " + "bob" * 5 + "@example.org"
    cleaned = redaction.text("x" + words)
    assert len(cleaned) < redaction.TEXT_LIMIT + 60
    assert "bob" not in cleaned and "cut" in cleaned
    assert CORE not in redaction.text((CORE * redaction.TEXT_LIMIT)[: redaction.TEXT_LIMIT + 5])


def test_no_request_with_secrets_leaves_them_in_the_log(api: Service) -> None:
    body = {"username": f"u{CORE}@example.org", "email": f"{CORE}@example.org", "pwd": CORE}
    headers = {"Authorization": f"Bearer {CORE}", "Cookie": f"minitwit_session={CORE}"}
    for path in ("/register", "/api/sessions", f"/msgs/{CORE}@example.org?token={CORE}", "/x"):
        for _ in range(2):
            api.send("POST", path, body, **headers, X_Request_ID="needle-" + secrets.token_hex(4))
    wait_for("its lines", lambda: len(api.logs()) >= 9)
    assert CORE not in api.log_file.read_text()
