"""Another program at the address of a component is no answer, and ends nothing."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.incident.prometheus_api import NoAnswer, getter
from observability.stack.components import COMPONENTS
from observability.stack.deadman.heartbeat import Heartbeat
from observability.stack.deadman.monitoring_blind import Blindness
from observability.stack.deadman.notify import Channel, Outbox, log, post
from observability.stack.deadman.watch import Presence, Watch
from observability.stack.irc import chatlog
from observability.stack.irc.client import Connection
from observability.stack.local import control
from observability.stack.local.checks import check
from observability.stack.local.layout import Layout
from observability.stack.local.send_test_alert import Alertmanager
from observability.stack.local.supervise import Supervisor
from observability.stack.settings import StackError, load
from observability.stack.targets import CHANNEL
from tests.parts import PATIENCE, stranger

SSH = b"SSH-2.0-x\r\n"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[]"
ASTRAY = b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n\r\nno \xff"
NO_HTTP = pytest.mark.parametrize("says", [SSH, CUT, ASTRAY, REFUSED, b""])
# Lines that no chat server sends, and that none of its clients may end at.
ODD = b"\r\n \r\n:\r\n:x \r\n:x :\r\n\xff\r\nJOIN\r\nNICK\r\nKICK\r\nKICK #c\r\n353\r\n"
ODD += b"PRIVMSG\r\nPRIVMSG x\r\n"
WELCOME = b":chat 001 me :Welcome\r\n"


def ok(body: object) -> bytes:
    """An answer with a body of JSON."""
    text = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)


@pytest.mark.parametrize(
    "says",
    [
        SSH, CUT, ASTRAY, REFUSED, b"", b"HTTP/1.1 200 OK\r\n\r\nno JSON",
        *map(ok, (None, 5, {}, {"a": 1}, [1], [{}], [{"labels": []}], [{"labels": {}}])),
    ],
)  # fmt: skip
def test_the_switch_speaks_whatever_alertmanager_is(says: bytes) -> None:
    told: list[str] = []
    with stranger(says) as alertmanager:
        blindness = Blindness(alertmanager, "", 60)
        watch = Watch(Heartbeat(), 0, Outbox([told.append]), None, blindness)
        watch.look()
        watch.look()
    assert [text.split(" for ")[0] for text in told] == ["[DEADMAN] no Watchdog"]


@pytest.mark.parametrize("says", [SSH, REFUSED, ODD, WELCOME, WELCOME + ODD, b""])
def test_what_is_no_chat_does_not_answer(says: bytes) -> None:
    told: list[str] = []
    with stranger(says) as chat:
        presence = Presence(Channel(chat), "relay", 0)
        presence.chat_seen -= PATIENCE
        Watch(Heartbeat(), PATIENCE, Outbox([told.append]), presence, None).look()
    assert [text.split(" for ")[0] for text in told] == ["[DEADMAN] the chat has not answered"]


def _fails(error: Exception) -> Callable[[str], None]:
    def way(_: str) -> None:
        raise error

    return way


@pytest.mark.parametrize(
    "error", [OSError("o"), ValueError("v"), http.client.BadStatusLine("b"), OverflowError("p")]
)
def test_a_destination_that_fails_keeps_no_other_from_being_told(error: Exception) -> None:
    told: list[str] = []
    outbox = Outbox([_fails(error), told.append])
    outbox.put("text")
    outbox.send()
    outbox.send()
    assert told == ["text"]


def test_a_log_that_cannot_be_written_keeps_nothing_from_being_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    outbox = Outbox([told.append])
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        log("text")
        outbox.put("text")
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()  # what it could not write is tried once more
    outbox.send()
    assert told == ["text"]


class Broken:
    """Fails at whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


@pytest.mark.parametrize("broken", ["heartbeat", "presence", "blindness"])
def test_a_step_that_fails_stops_no_other(broken: str) -> None:
    told: list[str] = []
    parts: dict[str, Any] = {"heartbeat": Heartbeat(), "presence": None, "blindness": None}
    watch = Watch(silence=PATIENCE, outbox=Outbox([told.append]), **{**parts, broken: Broken()})
    watch.outbox.put("text")
    watch.look()
    assert told == ["text"]


@NO_HTTP
def test_who_asks_over_http_hears_of_it_as_of_no_answer(says: bytes, tmp_path: Path) -> None:
    with stranger(says) as address:
        url = f"http://{address}"
        with pytest.raises(StackError):
            Alertmanager(url, {}).ask("/metrics")
        with pytest.raises(NoAnswer):
            getter()(url)
        if says != CUT:  # its status says that it was taken
            with pytest.raises(OSError):
                post(url, "text")


@pytest.mark.parametrize(
    "name", ["prometheus", "alertmanager", "blackbox", "load", "loki", "grafana"]
)
@pytest.mark.parametrize("body", [None, 5, "text", [], [1], {}, {"status": "success", "data": 7}])
def test_status_says_that_another_program_answers(
    name: str, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stranger(ok(body)) as address:
        monkeypatch.setattr(Layout, "address", lambda self, name: address)
        layout = Layout(load(), tuple(COMPONENTS.values()), {})
        assert check(layout, COMPONENTS[name]).state != "ok"


def test_a_supervisor_that_says_something_else_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    for says in (SSH, b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<a>"):
        with stranger(says, control.NAME):
            assert not Supervisor(tmp_path).running()
        Path(control.NAME).unlink()


def test_odd_lines_of_a_chat_are_skipped() -> None:
    names = b":chat 353 me = #c :@relay me\r\n"
    says = ODD + WELCOME + ODD + names + ODD + b":chat 366 me #c :End\r\n"
    with stranger(says) as address, Connection(address, "me") as chat:
        assert chat.members("#c") == {"relay", "me"}


def test_the_log_of_the_chat_goes_on_after_odd_lines(tmp_path: Path) -> None:
    line = f":somebody!u@h PRIVMSG {CHANNEL} :hello\r\n".encode()
    with (
        stranger(WELCOME + ODD + line) as address,
        pytest.raises(ConnectionError, match="hung up"),
    ):
        chatlog.follow(address, tmp_path / "chat.log")
    assert (tmp_path / "chat.log").read_text().endswith(" <somebody> hello\n")


@pytest.fixture(params=[b"NOTICE * :patience\r\n", b"\r\n"], ids=["notices", "blank lines"])
def chatter(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that never stops talking and never answers."""

    def talk() -> None:
        with contextlib.suppress(OSError):
            client, _ = server.accept()
            with client:
                while True:
                    client.sendall(request.param)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=talk)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.timeout(PATIENCE)
def test_who_talks_without_an_end_does_not_answer(chatter: str) -> None:
    with pytest.raises(TimeoutError, match="does not answer"):
        Connection(chatter, "me", timeout=5)
