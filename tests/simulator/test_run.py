"""Playing: what order is kept, how time passes, what waits for what."""

import asyncio
import io
import socket
import threading
import time
from types import SimpleNamespace

import pytest
import uvloop

from simulator import progress
from simulator.client import Client
from simulator.generator import generate
from simulator.pace import Nominal, Rate, Speed, pace
from simulator.reader import ReadError
from simulator.run import Run
from simulator.scenario import DELAY_UNITS, Action, expected
from simulator.wire import Address, Wire
from tests.parts import PATIENCE, free_port, wait_for
from tests.simulator.fakes import Seen, answer, fake_api, fine

MAX = Speed("max")


def make(url: str, speed: Speed = MAX, clients: int = 1, forever: bool = False) -> Run:
    address = Address.parse(url)
    wire = Wire(address, "simulator", "super_safe!", False)
    return Run(Client(address, PATIENCE), wire, speed, clients, forever)


def tweets(count: int) -> list[Action]:
    return [Action(i, 0, "", "tweet", "A B", ("x",)) for i in range(count)]


def slow_registrations(seen: Seen, connection: socket.socket) -> bytes:
    if seen.registers:
        time.sleep(0.05)
    return answer(204)


def test_users_are_registered_before_they_are_named() -> None:
    with fake_api(slow_registrations) as api:
        actions = list(generate(3, 600))
        run = make(api.url, clients=16)
        asyncio.run(run.play(actions))
    assert run.errors == 0
    assert sorted(seen.id for seen in api.seen) == list(range(600))
    registered = {seen.names[0]: seen.answered for seen in api.seen if seen.registers}
    for seen in api.seen:
        for name in [] if seen.registers else seen.names:
            assert seen.came >= registered[name], f"{name} was named before the answer"


def test_one_pair_stays_in_order() -> None:
    """The final state also depends on the order of one pair's follows and unfollows."""
    people = [Action(i, 0, "", "register", name, ("a@b", "p")) for i, name in enumerate("AB")]
    pair = [Action(i, 0, "", "unfollow" if i % 2 else "follow", "A", ("B",)) for i in range(2, 40)]
    with fake_api(slow_registrations) as api:
        asyncio.run(make(api.url, clients=8).play([*people, *pair]))
    arrived = [seen.id for seen in api.seen if not seen.registers]
    assert arrived == sorted(arrived)


def test_clients_work_side_by_side() -> None:
    all_here = threading.Barrier(10, timeout=PATIENCE)

    def together(seen: Seen, connection: socket.socket) -> bytes:
        all_here.wait()
        return answer(204)

    with fake_api(together) as api:
        asyncio.run(make(api.url, clients=10).play(tweets(40)))
    assert len(api.seen) == 40
    assert not all_here.broken


def test_a_slow_answer_does_not_slow_the_arrivals() -> None:
    everybody = threading.Event()

    def last_of_all(seen: Seen, connection: socket.socket) -> bytes:
        """Answers nobody before all have asked, and then slowly."""
        if len(api.seen) == 100:
            everybody.set()
        assert everybody.wait(PATIENCE)
        time.sleep(0.2)
        return answer(204)

    with fake_api(last_of_all) as api:
        run = make(api.url, Speed("rate", 100), clients=100)
        began = time.monotonic()
        asyncio.run(run.play(tweets(100)))
    assert max(seen.came for seen in api.seen) - began >= 0.98, "at the rate, not at once"
    run.roll()
    assert run.results.since_due.count == 100
    assert (run.results.since_due.quantile(0.5) or 0) >= 0.2


def test_lateness_is_told() -> None:
    """One client cannot keep up: what it then measures must not hide the wait."""

    def slow(seen: Seen, connection: socket.socket) -> bytes:
        time.sleep(0.05)
        return answer(204)

    with fake_api(slow) as api:
        run = make(api.url, Speed("rate", 100), clients=1)
        asyncio.run(run.play(tweets(20)))
    run.roll()
    assert run.results.lateness.longest > 0.5
    assert run.results.since_due.longest > run.results.rows["tweet"].latency.longest + 0.5


def test_nominal_sleeps_the_delays_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delays shorter than a tick of uvloop's timers, which are whole milliseconds and late."""
    slept = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal slept
        slept += max(1, round(seconds * 1000)) / 1000 + 0.0002

    monkeypatch.setattr("simulator.pace.asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr("simulator.pace.time", SimpleNamespace(perf_counter=lambda: slept))
    asyncio.run(short_delays())
    assert 0.449 <= slept < 0.452


def test_nominal_is_no_faster_than_its_delays() -> None:
    began = time.perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(short_delays())
    assert time.perf_counter() - began >= 0.44


async def short_delays() -> None:
    """1,500 of 0.3 ms."""
    tempo = Nominal()
    for _ in range(1500):
        await tempo.wait(Action(0, DELAY_UNITS * 3 // 10_000, "", "tweet", "A", ("x",)))


def test_a_schedule_begins_anew_after_a_pause() -> None:
    async def wait() -> tuple[float, float]:
        tempo = Rate(1000)
        first = await tempo.wait(tweets(1)[0])
        await asyncio.sleep(0.1)
        tempo.restart()
        return first, await tempo.wait(tweets(1)[0])

    first, second = asyncio.run(wait())
    assert second - first >= 0.1


@pytest.mark.parametrize("speed", [Speed("rate", 20), Speed("nominal")])
def test_a_pace_can_begin_anew_while_a_client_waits_on_it(speed: Speed) -> None:
    """One client finds the API back while another one waits for its turn."""
    action = Action(0, DELAY_UNITS // 20, "", "tweet", "A", ("x",))

    async def run() -> None:
        tempo = pace(speed)
        await tempo.wait(action)
        waiting = asyncio.create_task(tempo.wait(action))
        await asyncio.sleep(0.01)
        tempo.restart()
        await asyncio.wait_for(waiting, PATIENCE)

    asyncio.run(run())


def test_forever_waits_for_the_api_and_loses_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API goes away in the middle and comes back: each registration reaches it."""
    said: list[str] = []
    monkeypatch.setattr("simulator.run.say", said.append)
    port = free_port()
    actions = [Action(i, 0, "", "register", f"User {i}", ("a@b", "p")) for i in range(150)]
    run = make(f"http://127.0.0.1:{port}", Speed("rate", 100), clients=2, forever=True)
    player = threading.Thread(target=lambda: asyncio.run(run.play(actions)))
    with fake_api(port=port) as first:
        player.start()
        wait_for("some actions", lambda: len(first.seen) >= 10)
    wait_for("a word on it", lambda: said)
    with fake_api(port=port) as second:
        player.join(PATIENCE)
        assert not player.is_alive()
    arrived = {seen.names[0] for seen in first.seen + second.seen if seen.registers}
    assert arrived == expected(actions).users
    assert [line.split(":")[0].split(" after")[0] for line in said] == [
        "waiting for the api",
        "the api is back",
    ]
    assert 0 < run.errors <= 6


def test_an_outage_is_told_once_however_long_a_look_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    looks = iter(["away", "away", ""])

    async def latest() -> int:
        if why := next(looks):
            raise ReadError(why)
        return 0

    run = make("http://127.0.0.1:1", forever=True)
    monkeypatch.setattr(run.reader, "latest", latest)
    monkeypatch.setattr("simulator.run.say", said.append)
    monkeypatch.setattr("simulator.run._RETRY", 0)  # so that every look takes longer than that
    asyncio.run(run.until_back())
    assert said == ["waiting for the api: away", "the api is back after 0 s"]


def test_a_run_with_an_end_waits_for_nobody() -> None:
    run = make(f"http://127.0.0.1:{free_port()}")
    asyncio.run(run.play(generate(5, 50)))
    run.roll()
    assert run.results.total().failures == {"refused": 50}


def test_a_run_with_an_end_never_sends_twice() -> None:
    with fake_api(lambda *_: answer(503)) as api:
        run = make(api.url)
        asyncio.run(run.play(generate(5, 50)))
    assert run.errors == len(api.seen) == 50


def test_an_endless_run_is_summed_up() -> None:
    def some_fail(seen: Seen, connection: socket.socket) -> bytes:
        return answer(404) if seen.id % 10 == 0 else fine(seen, connection)

    async def play(run: Run, stream: io.StringIO) -> None:
        shown = asyncio.create_task(progress.show(run, None, stream, every=0.2))
        await run.play(tweets(100))
        await asyncio.sleep(0.4)  # the window that is open, to its end
        shown.cancel()

    with fake_api(some_fail) as api:
        run, stream = make(api.url), io.StringIO()
        asyncio.run(play(run, stream))
    assert stream.getvalue().startswith("last 0 s: ")
    total = sum(int(line.split()[3]) for line in stream.getvalue().splitlines())
    assert total == run.results.total().count == 100
    assert "of status 404" in stream.getvalue()


def test_a_bar_is_for_terminals() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    async def play(run: Run, stream: io.StringIO) -> None:
        shown = asyncio.create_task(progress.show(run, 50, stream, every=0.01))
        await run.play(tweets(50))
        await asyncio.sleep(0.05)
        shown.cancel()
        await asyncio.wait([shown])

    with fake_api() as api:
        terminal, plain = Terminal(), io.StringIO()
        asyncio.run(play(make(api.url), terminal))
        asyncio.run(play(make(api.url), plain))
    assert "[##############################] 50 of 50 (100 %)" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert "\x1b" not in plain.getvalue()
    assert "50 of 50 (100 %)" in plain.getvalue()
