"""The steps of ``python -m simulator``, from the command line to the exit status."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import signal
import time
from collections.abc import Iterable

import uvloop

from observability import catalog
from observability.instrument.logs import Log, LogSettings
from observability.instrument.metrics import Meter
from simulator import progress
from simulator.client import Client
from simulator.metrics import Metrics
from simulator.options import Options, parse
from simulator.reader import ReadError
from simulator.report import Frame, report, table
from simulator.run import Run, say
from simulator.scenario import Action, ScenarioError, expected, write
from simulator.source import endless, load
from simulator.verify import differences
from simulator.wire import Wire

OK, FAILED, USAGE = 0, 1, 2
_TOLD = 10  # differences on the terminal; the report has them all


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit status described in ``--help``."""
    options = parse(arguments)
    try:
        actions: list[Action] = []
        if not options.forever:
            actions = load(options.file, options.seed, options.actions, options.even)
        if options.write:
            write(options.write, actions)
            print(f"wrote {len(actions):,} actions to {options.write}")
            return OK
        gc.freeze()  # tens of thousands of actions that no collection need look at again
        _allow_connections(options.clients)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_Session(options, actions).run())
    except ScenarioError as error:
        say(str(error))
        return USAGE
    except ReadError as error:
        say(str(error))
        return FAILED
    except OSError as error:
        say(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


class _Session:
    """A run with its signals, progress and report."""

    def __init__(self, options: Options, actions: list[Action]) -> None:
        self.options, self.actions = options, actions
        self.frame = Frame(options.settings())
        self.signal = 0
        self.metrics = Metrics() if options.metrics else None
        if self.metrics:
            self.metrics.serve(options.metrics_host, options.metrics)

    async def run(self) -> int:
        options = self.options
        timeout, keep_alive = options.timeout, options.keep_alive
        wire = Wire(options.address, options.user, options.password, keep_alive, timeout)
        client = Client(options.address, timeout, keep_alive)
        meter = self.metrics.meter if self.metrics else Meter(catalog.SIMULATOR)
        log = Log(LogSettings(stdout=False, loki=options.loki), meter)
        run = Run(client, wire, options.speed, options.clients, options.forever, self.metrics, log)
        log.info("startup", f"plays against {options.address}")
        work = asyncio.create_task(self._work(run))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._stop, number, work)
        try:
            await work
        except asyncio.CancelledError:
            if not self.signal:
                raise
            self.frame.interrupted = True
        finally:
            run.close()
            log.info("shutdown", f"{run.done:,} actions, {run.errors:,} errors")
            await asyncio.to_thread(log.close)
        return self._conclude(run)

    async def _work(self, run: Run) -> None:
        options = self.options
        if options.forever:
            await run.until_back()
        after = await run.reader.latest()
        actions, total = self._actions(after if options.resume else -1)
        if total == 0:
            say(f"nothing to do: the api is at action {after}")
        shown = asyncio.create_task(progress.show(run, total))
        began, cpu = time.perf_counter(), time.process_time()
        try:
            await run.play(actions)
        finally:
            self.frame.seconds = time.perf_counter() - began
            self.frame.cpu_seconds = time.process_time() - cpu
            shown.cancel()
            await asyncio.wait([shown])
        if options.verify:
            latest = self.actions[-1].id if options.clients == 1 else None
            state = expected(self.actions)
            self.frame.differences = await differences(state, run.reader, latest)

    def _actions(self, after: int) -> tuple[Iterable[Action], int | None]:
        """Return the actions and their number; None without end."""
        options = self.options
        if options.forever:
            mark = f"{int(time.time()):x}" if options.new_people else ""
            source = (options.file, options.seed, options.actions, options.even)
            return endless(*source, after, mark), None
        left = [action for action in self.actions if action.id > after]
        return left, len(left)

    def _stop(self, number: int, work: asyncio.Task[None]) -> None:
        self.signal = number
        work.cancel()

    def _conclude(self, run: Run) -> int:
        data = report(run, self.frame)
        if self.options.report:
            self.options.report.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        print(table(data), flush=True)
        found = self.frame.differences
        if found is not None:
            print(_told(found))
        if self.signal:
            return 128 + self.signal
        return FAILED if run.errors or found else OK


def _told(differences: list[str]) -> str:
    if not differences:
        return "the server holds exactly what the scenario leaves"
    more = len(differences) - _TOLD
    lines = [f"difference: {line}" for line in differences[:_TOLD]]
    return "\n".join([*lines, f"and {more} more differences"] if more > 0 else lines)


def _allow_connections(clients: int) -> None:
    """Raise the limit of open files, if the clients may need it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < clients + 64 and soft != resource.RLIM_INFINITY:
        wanted = clients + 64 if hard == resource.RLIM_INFINITY else min(clients + 64, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
