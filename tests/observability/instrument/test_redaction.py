"""Whatever is passed in, no secret comes out: by name, by shape, by being known; in linear time."""

from __future__ import annotations

import base64
import json
import logging
import secrets
import time
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.settings import Environment
from observability import catalog
from observability.instrument import context, redaction
from observability.instrument.logs import Log, LogSettings, capture_libraries, line
from observability.instrument.metrics import Meter
from tests.parts import Service

CORE = "Zq7hunter2xK"  # in every secret: it must be nowhere in what comes out
MANY = settings(max_examples=100, deadline=None)


def words(alphabet: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    """Secrets: the core with anything of ``alphabet`` on either side."""
    side = st.text(alphabet, max_size=12)
    return st.builds(lambda a, b: a + CORE + b, side, side)


any_text = st.characters(exclude_categories=["Cs"])
one_line = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
no_space = st.characters(exclude_categories=["Cs", "Cc", "Z"])
NAMES = st.sampled_from([
    "password", "pwd", "pw", "passwd", "db_password", "userPassword", "password2", "token",
    "access_token", "SESSION", "session_id", "Authorization", "Cookie", "Set-Cookie", "secret",
    "SECRET_KEY", "api_key", "apiKey", "x-api-key", "email", "E-Mail", "e_mail", "user_email",
    "pw_hash", "credentials", "DATABASE_URL", "dsn", "csrf_token", "jwt",
])  # fmt: skip
QUOTED_FORMS: list[Callable[[str, str], str]] = [
    lambda key, value: json.dumps({key: value, "id": 3}),
    lambda key, value: json.dumps({"a": 1, key: value}, ensure_ascii=False, indent=1),
    lambda key, value: json.dumps({"a": {key: [value, 5]}}),
    lambda key, value: json.dumps(json.dumps({key: value, "id": 3})),
    lambda key, value: json.dumps(json.dumps(json.dumps([{key: value}]))),
    lambda key, value: repr({key: value, "id": 3}),
    lambda key, value: repr({key.encode(): value.encode()}),
    lambda key, value: repr([(key, value), ("a", "b")]),
    lambda key, value: repr([(key.encode(), value.encode())]),
    lambda key, value: repr({"message": repr({key: value})}),
    lambda key, value: f"connect({key}={value!r}, host='h')",
    lambda key, value: f"host=h {key}='{libpq(value)}' dbname=d",
    lambda key, value: f"{key} = '{libpq(value)}'",
    lambda key, value: f"/x?a=1&{urlencode({key: value})}&b=2",
    lambda key, value: f"a={quote(f'{key}={value}', safe='')}",
    lambda key, value: quote_plus(json.dumps({key: value})),
    lambda key, value: f'form["{key}"] = {value!r}',
    lambda key, value: json.dumps({key: value}).replace('"', "&quot;"),
]
LINE_FORMS: list[Callable[[str, str], str]] = [
    lambda key, value: f"{key}={value}",
    lambda key, value: f"login failed: {key}: {value}",
    lambda key, value: f"{key} => {value}",
    lambda key, value: f"before\n{key}:{value}\nafter",
    lambda key, value: f"<{key}>{value}</{key}>",
    lambda key, value: f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n--end',
]


def libpq(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


@given(NAMES, words(any_text), st.sampled_from(QUOTED_FORMS), st.text(max_size=20))
@MANY
def test_a_named_value_is_masked_however_it_is_written(
    name: str, value: str, form: Callable[[str, str], str], before: str
) -> None:
    assert CORE not in redaction.text(f"{before} {form(name, value)}")


@given(NAMES, words(one_line), st.sampled_from(LINE_FORMS))
@MANY
def test_an_unquoted_value_goes_with_its_line(
    name: str, value: str, form: Callable[[str, str], str]
) -> None:
    cleaned = redaction.text(form(name, value))
    assert CORE not in cleaned
    assert name.lower() in cleaned.lower()


SHAPES: list[Callable[[str], str]] = [
    lambda s: f"Basic {base64.b64encode(('user:' + s).encode()).decode()}",
    lambda s: f"bearer {quote(s)}",
    lambda s: f"headers: ('Bearer   {quote(s)}')",
    lambda s: f"see postgresql://user:{s}@host:5432/name",
    lambda s: f"see postgresql+psycopg://user:{quote(s, safe='')}@/name?host=/run",
    lambda s: f"GET http://user:{s}@host:3100/push",
    lambda s: f"<{s}@example.org>",
    lambda s: quote(f"https://user:{s}@host/"),
    lambda s: f"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${s}",
    lambda s: f"scrypt:32768:8:1$salt${s}",
    lambda s: "-----BEGIN RSA {0} KEY-----\n{1}\n-----END RSA {0} KEY-----".format("PRIVATE", s),
]


@given(words(no_space), st.sampled_from(SHAPES))
@MANY
def test_a_shape_is_masked_without_a_name(value: str, form: Callable[[str], str]) -> None:
    if form is SHAPES[6]:  # an address has none of RFC 5322's specials before its @
        assume(not set(value) & set('<>()[]:;,"\\'))
    cleaned = redaction.text(f"something {form(value)} happened")
    assert CORE not in cleaned
    assert base64.b64encode(b"user:")[:6].decode() not in cleaned


LOCAL = st.text(st.characters(categories=["L", "N"]), min_size=3, max_size=12)
DOMAIN = st.sampled_from(
    ("example.org", "exämple.de", "例え.jp", "xn--exmple-cua.de", "[192.0.2.1]")
)
AT = st.sampled_from(("@", "%40", "%2540", "\uff20", "\\u0040", "&#64;"))


@given(st.emails() | st.builds(lambda a, b: f"{a}.{CORE}@{b}", LOCAL, DOMAIN), AT)
@MANY
def test_addresses_are_masked(address: str, at: str) -> None:
    local = address.rpartition("@")[0]
    for frame in ("from {} to", "<{}>", '{{"x":"{}"}}', "({},1)", "x:{}", "mail={}&a=1"):
        cleaned = redaction.text(frame.format(f"{CORE}{address}".replace("@", at)))
        assert CORE + local[:1] not in cleaned


@pytest.mark.parametrize("frame", ["{}", "x={};", "/x/{}/y", "token_{}", "%3D{}", "\\n{}", "'{}'"])
def test_session_tokens_are_known_by_their_shape(frame: str) -> None:
    for _ in range(300):
        token = secrets.token_urlsafe(32)
        assert len(token) == redaction.TOKEN_LENGTH
        assert token not in redaction.text(f"a word {frame.format(token)} another")


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@given(NAMES, words(any_text), nested, st.integers(0, 12))
@MANY
def test_structures_are_searched_at_any_depth(
    name: str, value: str, other: object, depth: int
) -> None:
    held: object = {name: value, "other": other, "pair": (name.encode(), value.encode())}
    for level in range(depth):
        held = [held] if level % 2 else {"inner": held, "list": [other]}
    for fields in ({"error": held}, {"unheard_of": held}, {name: held}, {name: value.encode()}):
        record = (time.time_ns(), "info", "request", "", fields)
        assert CORE.encode() not in line("api", record).data


def test_what_a_field_holds_may_be_anything() -> None:
    class Rude:
        def __str__(self) -> str:
            raise RuntimeError(CORE)

    cycle: dict[str, object] = {"password": CORE}
    cycle["self"] = cycle
    error = ValueError(f"password={CORE}", {"token": CORE})
    for value in (cycle, error, Rude(), [Rude()], {Rude(): 1}, b"\xffpassword=" + CORE.encode()):
        written = line("api", (1, "info", "request", "", {"error": value})).data
        assert CORE.encode() not in written
        assert json.loads(written)["event"] == "request"


@pytest.fixture
def known() -> str:
    """A secret of this process, as its settings read it."""
    secret = 'p w"ord/ü+&' + CORE
    url = f"postgresql://u:{quote(secret, safe='')}@h/d"
    Environment({"DATABASE_URL": url}).secret("DATABASE_URL")
    return secret


def test_the_secrets_of_this_process_are_masked_wherever_they_turn_up(known: str) -> None:
    for form in (str, repr, json.dumps, quote, quote_plus, lambda s: quote(s, safe="")):
        for frame in ("plainly {} in a sentence", "{}", "x{}y"):
            assert CORE not in redaction.text(frame.format(form(known)))
    assert CORE not in json.dumps(redaction.fields({"route": known, "client": f"a{known}"}))


def test_a_secret_of_plain_characters_is_found_too() -> None:
    redaction.know("correct horse battery")
    redaction.know("api")  # too short to be taken for a secret
    assert redaction.fields({"route": "a correct horse battery"}) == {"route": "a ***"}
    assert redaction.text("api") == "api"


def test_a_setting_that_is_only_a_scheme_does_not_hide_addresses_from_the_other_nets() -> None:
    redaction.know("http://")
    assert (
        redaction.text(f'GET http://user:{CORE}"@host:3100/push') == "GET http://***@host:3100/push"
    )


def test_what_libraries_log_is_cleaned(tmp_path: Path) -> None:
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


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@MANY
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = redaction.text(text)
    assert redaction.text(once) == once


ORDINARY = {
    "request_id": "0123456789abcdef01234567", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "span_id": "00f067aa0ba902b7", "method": "POST", "route": "/msgs/{username}", "status": 204,
    "duration_ms": 1.5, "db_ms": 0.2, "bytes": 0, "client": "192.0.2.1", "action": "loggedin",
    "outcome": "wrong_password", "reason": "Invalid password", "query": "session_user",
    "component": "asyncio", "version": "1.0.0", "address": "127.0.0.1:5001", "count": 3,
}  # fmt: skip


def test_what_operators_need_survives() -> None:
    assert redaction.fields(ORDINARY) == ORDINARY
    for name, value in ORDINARY.items():
        assert redaction.field(name, value) == value
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
    both = json.dumps({"trace_id": ORDINARY["trace_id"], "password": CORE, "route": "/msgs"})
    cleaned = redaction.text(both)
    assert str(ORDINARY["trace_id"]) in cleaned and "/msgs" in cleaned


@given(st.uuids(), st.binary(min_size=16, max_size=16), st.integers(1, 65535))
@MANY
def test_ids_survive(uuid: object, trace: bytes, port: int) -> None:
    for value in (str(uuid), trace.hex(), trace.hex()[:16], f"127.0.0.1:{port}"):
        assert redaction.text(value) == value


def test_an_offered_request_id_that_looks_like_a_token_is_not_taken_over() -> None:
    token = secrets.token_urlsafe(32).replace("_", "a")
    enter = copy_context().run
    assert enter(context.enter, token.encode()).request_id != token
    assert enter(context.enter, b"0123-abcd.ef").request_id == "0123-abcd.ef"


ADVERSE = (
    "a", " ", "\n", '"', "'", "\\", '"\\', "@", "a@", "a@[", "%40", "%25", "&#64", "://", "a:// ",
    "password", "password=", '"password":"\n', "'token',", 'password\\"', "password=[", "pwd='",
    "basic ", "host=", "host=a ", "host='", "eyJ", "eyJ.", "-----BEGIN KEY-----", "$2b$", "'a",
    "password\n", "api_key_", "'passwordpassword", "a" * 42 + " ", "%2525", "\\u00", "é", "<", ">=",
)  # fmt: skip


def seconds(text: str) -> float:
    began = time.perf_counter()
    redaction.text(text)
    return time.perf_counter() - began


@pytest.mark.parametrize("unit", ADVERSE)
def test_time_grows_with_the_length_and_no_faster(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times the text takes some ten times as long; a quadratic pattern takes a hundred."""
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
    deadline = time.monotonic() + 5
    while len(api.logs()) < 9 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(api.logs()) >= 9
    assert CORE not in api.log_file.read_text()
