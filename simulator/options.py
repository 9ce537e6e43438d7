"""The simulator's command line."""

from __future__ import annotations

import argparse
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from observability.catalog import SIMULATOR_TIMEOUT
from observability.instrument import redaction
from simulator.pace import Speed
from simulator.wire import Address

_MOST_CLIENTS = 4096
_EPILOG = """\
Exit status: 0 if nothing counted as an error, 1 if something did or the api cannot be reached,
2 for a mistake in the command line or the scenario, 130 after Ctrl-C.
An error is what the course's simulator counts: any answer but 204 (400 to a registration is
allowed), no connection, a lost one, no complete answer within the timeout. The time runs from
before the connection is made to the last byte of the answer. Nothing is ever tried again,
but for registrations with --forever.
The credentials are those of SIMULATOR_USER and SIMULATOR_PASSWORD (or SIMULATOR_PASSWORD_FILE).
With LOKI_URL (or LOKI_URL_FILE) the log is pushed to Loki: the start, the end, each failed action.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed command line. ``actions`` None: all of a file, or the known number."""

    address: Address
    file: Path | None
    seed: int
    actions: int | None
    even: bool
    write: Path | None
    resume: bool
    forever: bool
    new_people: bool
    verify: bool
    speed: Speed
    clients: int
    timeout: float
    keep_alive: bool
    report: Path | None
    metrics: int
    metrics_host: str
    user: str
    password: str
    loki: str

    def settings(self) -> dict[str, Any]:
        """Return the settings for a report, without credentials."""
        return {
            "url": str(self.address),
            "speed": self.speed.name,
            "rate": self.speed.rate,
            "clients": self.clients,
            "keep_alive": self.keep_alive,
            "timeout_seconds": self.timeout,
            "file": str(self.file) if self.file else None,
            "seed": None if self.file else self.seed,
            "actions": self.actions,
            "even": self.even,
            "resume": self.resume,
            "forever": self.forever,
        }


def parse(arguments: list[str] | None = None) -> Options:
    """Parse the command line; exit with status 2 and one line if it is wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.forever and (given.verify or given.write):
        parser.error("--forever goes neither with --verify nor with --write")
    if given.new_people and (given.file or not given.forever):
        parser.error("--new-people goes with --forever, and not with --file")
    if given.report and not given.report.absolute().parent.is_dir():
        parser.error(f"--report: no such directory: {given.report.parent}")
    try:
        password = given.password or _secret("SIMULATOR_PASSWORD", "super_safe!")
    except OSError as error:
        parser.error(f"SIMULATOR_PASSWORD_FILE: {error.filename}: {error.strerror}")
    try:
        loki = _secret("LOKI_URL", "")
    except OSError as error:
        parser.error(f"LOKI_URL_FILE: {error.filename}: {error.strerror}")
    if loki and not loki.startswith(("http://", "https://")):
        parser.error("LOKI_URL must be an address that begins with http:// or https://")
    for secret in (password, loki):
        redaction.know(secret)
    return Options(
        address=given.url,
        file=given.file,
        seed=given.seed,
        actions=given.actions,
        even=given.even,
        write=given.write,
        resume=given.resume,
        forever=given.forever,
        new_people=given.new_people,
        verify=given.verify,
        speed=Speed("rate" if given.rate else given.speed, given.rate),
        clients=given.clients or _clients(given.rate, given.timeout),
        timeout=given.timeout,
        keep_alive=given.keep_alive,
        report=given.report,
        metrics=given.metrics,
        metrics_host=given.metrics_host,
        user=given.user or os.environ.get("SIMULATOR_USER") or "simulator",
        password=password,
        loki=loki,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Plays a scenario against MiniTwit's API and reports what the client saw.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--url", type=_address, default="http://127.0.0.1:5001", help="default %(default)s")
    add("--user", help="user name of the simulator")
    add("--password", help="its password; better given by environment")
    what = parser.add_argument_group("what to play")
    source = what.add_mutually_exclusive_group()
    source.add_argument("--file", type=Path, help="scenario file, tab-separated")
    source.add_argument("--seed", type=int, default=1, help="make one up (default %(default)s)")
    what.add_argument("--actions", type=_whole, help="how many (default 25922, or all of the file)")
    what.add_argument(
        "--even", action="store_true",
        help="spread registrations evenly: with --rate, those at the beginning come all at once",
    )  # fmt: skip
    what.add_argument(
        "--new-people", action="store_true",
        help="with --forever: register users that no earlier run has registered",
    )  # fmt: skip
    what.add_argument("--write", type=Path, metavar="FILE", help="write the scenario out and exit")
    what.add_argument("--resume", action="store_true", help="begin after the id of /latest")
    what.add_argument("--forever", action="store_true", help="laps without end; waits for the api")
    _add_how(parser.add_argument_group("how to play it"))
    _add_result(parser.add_argument_group("what comes of it"))
    return parser


def _add_how(how: argparse._ArgumentGroup) -> None:
    speed = how.add_mutually_exclusive_group()
    speed.add_argument(
        "--speed", choices=("nominal", "max"), default="nominal",
        help="nominal: sleep the scenario's delays (default); max: as fast as it goes",
    )  # fmt: skip
    speed.add_argument(
        "--max", dest="speed", action="store_const", const="max", help="the same as --speed max"
    )
    speed.add_argument("--rate", type=_positive, help="actions a second, however slow the answers")
    how.add_argument(
        "--clients", type=_whole,
        help="requests on their way at once, at most (default 1; with --rate as many as needed)",
    )  # fmt: skip
    how.add_argument(
        "--timeout", type=_positive, default=SIMULATOR_TIMEOUT,
        help="seconds (default %(default)s; a longer one is sent with each request)",
    )  # fmt: skip
    how.add_argument("--keep-alive", action="store_true", help="use connections again")


def _add_result(result: argparse._ArgumentGroup) -> None:
    result.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON")
    result.add_argument(
        "--metrics", type=_port, default=0, metavar="PORT", help="serve /metrics while it runs"
    )
    result.add_argument(
        "--metrics-host", default="127.0.0.1", metavar="HOST", help="where (default %(default)s)"
    )
    result.add_argument(
        "--verify", action="store_true",
        help="compare the final state over HTTP; for a server that was empty before",
    )  # fmt: skip


def _clients(rate: float | None, timeout: float) -> int:
    """Return the number of clients: enough for ``rate`` even if all requests time out."""
    return 1 if rate is None else min(_MOST_CLIENTS, math.ceil(2 * rate * timeout) + 8)


def _secret(name: str, default: str) -> str:
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text().strip()
    return os.environ.get(name) or default


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"not a number above 0: {text!r}")
    return value


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"not a port: {text!r}")
    return int(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"not a whole number above 0: {text!r}")
    return int(text)
