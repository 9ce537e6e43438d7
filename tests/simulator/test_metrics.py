"""What the simulator tells Prometheus: what the client saw, all children from the start."""

import socket

from prometheus_client.parser import text_string_to_metric_families

from observability import catalog
from tests.parts import free_port, request, wait_for
from tests.simulator import fakes
from tests.simulator.fakes import answer, fake_api
from tests.simulator.test_cli import running, simulate


def scrape(port: int) -> dict[tuple[str, ...], float]:
    """Samples by name and label values; none while nobody answers."""
    text = request("GET", f"http://127.0.0.1:{port}/metrics").body.decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def errors(port: int, outcome: str) -> bool:
    actions = catalog.SIMULATOR_ACTIONS.name
    return sum(v for k, v in scrape(port).items() if k[0] == actions and k[2] == outcome) > 1


def test_what_the_client_calls_an_error_is_counted_as_it_ended() -> None:
    def moody(seen: fakes.Seen, connection: socket.socket) -> bytes | None:
        kind = seen.id % 5
        if kind == 0:
            return fakes.late(seen, connection)
        return answer({1: 204, 2: 500, 3: 403}[kind]) if kind < 4 else None

    port = free_port()
    options = ["--rate", "60", "--forever", "--metrics", str(port)]
    with fake_api(moody) as api, running("--url", api.url, *options):
        found = wait_for("the first scrape", lambda: scrape(port))
        for metric in (catalog.SIMULATOR_ACTIONS, catalog.SIMULATOR_DURATION):
            name = metric.name + ("_count" if metric.kind == "histogram" else "")
            known = {(name, *values) for values in metric.children()}
            assert {key for key in found if key[0] == name} == known
        for outcome in ("ok", "timeout", "status_5xx", "status_other", "reset"):
            wait_for(outcome, lambda outcome=outcome: errors(port, outcome))  # type: ignore[misc]
        found = scrape(port)
    bucket = catalog.SIMULATOR_DURATION.name + "_bucket"
    within = sum(v for k, v in found.items() if k[0] == bucket and k[2] == "0.3")
    everything = sum(v for k, v in found.items() if k[0] == bucket and k[2] == "+Inf")
    assert 0 < within < everything, "what took longer than the simulator waits"


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, fake_api() as api:
        port = taken.getsockname()[1]
        done = simulate("--url", api.url, "--actions", "5", "--metrics", str(port))
    assert done.returncode == 2
    assert done.stderr == f"simulator: --metrics {port}: Address already in use\n"
