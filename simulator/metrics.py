"""The client's metrics: each action by command and outcome, and its duration."""

from __future__ import annotations

from prometheus_client import start_http_server

from observability import catalog
from observability.instrument.metrics import Meter
from simulator.client import Outcome
from simulator.results import is_error
from simulator.scenario import ScenarioError

_TOO_SLOW = "timeout"


class Metrics:
    """The counters of the simulator; an error is what the simulator calls one."""

    def __init__(self) -> None:
        self.meter = Meter(catalog.SIMULATOR)
        for command in catalog.COMMAND.values:
            self.meter.touch(catalog.SIMULATOR_DURATION, command)

    def serve(self, host: str, port: int) -> None:
        """Serve ``/metrics`` from a thread. Raises ScenarioError if the port is taken."""
        try:
            start_http_server(port, host, self.meter.registry)
        except OSError as error:
            raise ScenarioError(f"--metrics {port}: {error.strerror}") from None

    def add(self, command: str, outcome: Outcome) -> None:
        """Count an action that has ended."""
        how = _how(command, outcome)
        self.meter.count(catalog.SIMULATOR_ACTIONS, command, how)
        if outcome.kind in ("answer", _TOO_SLOW):
            self.meter.observe(catalog.SIMULATOR_DURATION, outcome.seconds, command)


def _how(command: str, outcome: Outcome) -> str:
    if outcome.kind != "answer":
        return outcome.kind
    if not is_error(command, outcome):
        return "ok"
    return "status_5xx" if outcome.status >= 500 else "status_other"
