"""The commands of the platform on one machine, without Docker."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from observability.stack.components import COMPONENTS, TABLE
from observability.stack.local import follow, send_test_alert, status
from observability.stack.local import up as running
from observability.stack.local.env_variables import forget_libpq, spare_loopback
from observability.stack.local.layout import render
from observability.stack.local.start import progress
from observability.stack.local.supervise import Supervisor
from observability.stack.local.up import down, plan, shortfall, up
from observability.stack.programs import archives, tools
from observability.stack.programs.build import build
from observability.stack.programs.go_modules import MODULES
from observability.stack.programs.versions import RELEASES
from observability.stack.settings import ROOT, Settings, StackError, load
from observability.stack.targets import CHANNEL, MONITOR

ENVIRONMENT = """\
environment:
  RUN_DIR         where all state is kept (default .run)
  PORT_OFFSET     added to every port (default 0), for a second stack beside the first
  DATABASE_URL    another PostgreSQL than our own
  GRAFANA_HOME    where Grafana is unpacked, if it is not on PATH
  GRAFANA_URL     where messages find the dashboards (default: this platform's own)
  RUNBOOK_BASE    where messages find the runbooks (default: alerts/runbooks, a path)
  TIME_SCALE      quickens rules, scrapes and messages (default 1), for drills
  MINITWIT_CACHE  where fetched programs are kept (default ~/.cache/minitwit)
  MINITWIT_MIRROR where the archives of programs are fetched from (see: fetch-archives)
  MINITWIT_TOOLS  "path": prefer the programs of this machine to the pinned ones of the cache
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = _parser().parse_args(arguments)
    os.umask(0o077)  # files written here are readable by their owner only
    forget_libpq()
    spare_loopback()
    try:
        run: Callable[[Settings, argparse.Namespace], int] = options.run
        return run(load(), options)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder without permission
        print(f"{error.filename or 'system'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress("")
        if options.run in (_chat, _logs):  # Ctrl-C is how to leave them
            return 0
        print(_interrupted(), file=sys.stderr)
        return 130


def _interrupted() -> str:
    """Report what still runs after Ctrl-C, and how to stop it."""
    known = Supervisor(load().run_dir).processes().values()
    count = sum(1 for process in known if process.pid)
    if not count:
        return "Interrupted. Nothing runs."
    return f"Interrupted. {count} components run on. Go on: make up   Stop: make down"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m observability.stack",
        description=__doc__,
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("up", _up, "start what does not run yet, and wait until it is healthy"),
        ("down", _down, "stop everything"),
        ("status", _status, "show each component and whether its signal arrives"),
        ("stop", _stop, "stop components until they are started again"),
        ("start", _start, "start components that were stopped"),
        ("restart", _restart, "stop components and start them again"),
        ("chat", _chat, f"follow the on-call channel {CHANNEL}"),
        ("logs", _logs, "follow the logs of all components"),
        ("preview", _preview, "draw the dashboards without Grafana, until Ctrl-C"),
        ("render", _render, "write the configuration that `up` would use"),
        ("install", _install, "fetch missing programs that `up` needs"),
        ("alert-test", _send_test_alert, "send a test alert to every receiver; report delivery"),
        ("backup", _backup, "take a backup of the running database"),
        ("restore", _restore, "restore a backup into a new database, and verify it"),
        ("psql", _psql, "open psql on the running database, as its owner"),
        ("tools", _tools, "fetch the pinned programs, or build those that may be built"),
        ("fetch-archives", _fetch_archives, "fetch all archives into a folder to serve as mirror"),
    ):
        command = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        command.set_defaults(run=run)
        _declare(name, command)
    return parser


def _declare(name: str, command: argparse.ArgumentParser) -> None:
    """Add the arguments of one command."""
    names = ", ".join(component.name for component in TABLE)
    if name in ("up", "render"):
        command.add_argument("--only", type=_names, default=(), help=f"some of: {names}")
    if name in ("stop", "start", "restart"):
        command.add_argument("component", nargs="+", help=f"some of: {names}")
    if name == "status":
        command.add_argument(
            "--wait", type=float, default=15, metavar="SECONDS",
            help="how long to wait for a first scrape (default %(default)s)",
        )  # fmt: skip
    if name == "restore":
        command.add_argument("file", nargs="?", type=Path, help="default: the newest backup")
        command.add_argument("--swap", action="store_true", help="replace the database by it")
    if name == "psql":
        command.add_argument("database", nargs="?", help="another one of the same server")
    if name == "tools":
        command.add_argument(
            "module", nargs="?", default="", choices=["", *(m.name for m in MODULES)],
            help="only this one",
        )  # fmt: skip
    if name in ("render", "fetch-archives"):
        command.add_argument("folder", type=Path, help="where to write")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _up(settings: Settings, options: argparse.Namespace) -> int:
    begin = time.monotonic()
    layout, start = up(settings, options.only)
    seconds = time.monotonic() - begin
    rows = status.look_at_the_started(layout)
    status.show(rows, signals=False, took=start.took)
    print(f"\nAll healthy after {seconds:.1f} s.")
    if "ngircd" in layout.deployment.components:
        print(f"Chat:   make chat, or any IRC client on {layout.address('ngircd')},"
              f" channel {CHANNEL}, password in {settings.secrets}/chat_password")  # fmt: skip
    if "alertmanager" in layout.deployment.components:
        print(f"Alerts: http://{layout.address('alertmanager')}, as {MONITOR} with the password"
              f" in {settings.secrets}/monitoring_password")  # fmt: skip
    for name in ("grafana", "preview"):
        if name in layout.deployment.components:
            print(f"Boards: http://{layout.address(name)}")
    print("Signal: make status          Stop: make down")
    if settings.database_url:
        print("DATABASE_URL names one role for everything: each service may do all that it may.")
    print("" if options.only else shortfall(layout), end="")
    return 0 if status.good(rows) else 1


def _stop(settings: Settings, options: argparse.Namespace) -> int:
    running.stop(settings, status.running(settings), options.component)
    names = " ".join(options.component)
    print(f"Stopped: {names}. It stays so until: make start C={names.split()[0]}, or make up")
    return 0


def _start(settings: Settings, options: argparse.Namespace) -> int:
    running.start(settings, status.running(settings), options.component)
    return 0


def _restart(settings: Settings, options: argparse.Namespace) -> int:
    layout = status.running(settings)
    running.stop(settings, layout, options.component)
    running.start(settings, layout, options.component)
    return 0


def _down(settings: Settings, _: argparse.Namespace) -> int:
    stopped = down(settings)
    print(f"Stopped {stopped} processes." if stopped else "Nothing was running.")
    return 0


def _status(settings: Settings, options: argparse.Namespace) -> int:
    rows = status.settle(status.running(settings), options.wait)
    status.show(rows)
    return 0 if status.good(rows) else 1


def _chat(settings: Settings, _: argparse.Namespace) -> int:
    layout = status.running(settings)
    print(f"{CHANNEL} on {layout.address('ngircd')} (Ctrl-C ends)", flush=True)
    follow.chat(layout)
    return 0


def _logs(settings: Settings, _: argparse.Namespace) -> int:
    follow.logs(status.running(settings))
    return 0


def _preview(settings: Settings, _: argparse.Namespace) -> int:
    layout = status.running(settings)
    address = layout.address("preview")
    if "preview" in layout.deployment.components:
        print(f"The preview runs already: http://{address}")
        return 0
    environment = {**os.environ, **layout.environment(COMPONENTS["preview"])}
    grafana = (
        f"http://{layout.address('grafana')}" if "grafana" in layout.deployment.components else ""
    )
    command = [*layout.command(COMPONENTS["preview"]), "--grafana", grafana]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _render(settings: Settings, options: argparse.Namespace) -> int:
    layout = plan(settings, options.only)
    for path in render(layout, options.folder):
        print(path)
    return 0


def _tools(settings: Settings, options: argparse.Namespace) -> int:
    names = {options.module} & RELEASES.keys() if options.module else set(RELEASES)
    if why := archives.fetch(settings, names):
        print(why, file=sys.stderr)
    failed = False
    for module in MODULES:
        if options.module in ("", module.name) and not archives.there(module.name, settings.cache):
            try:
                build(settings.cache, module.name)
            except StackError as error:
                print(error, file=sys.stderr)
                failed = True
    for name, tool in tools.TOOLS.items():
        if (options.module in ("", name)) and (program := tools.find(name, settings.cache)):
            print(f"{name:18} {program.path}")
        elif not options.module and not tool.package:
            print(f"{name:18} not on this machine", file=sys.stderr)
    return int(failed)


def _fetch_archives(settings: Settings, options: argparse.Namespace) -> int:
    for path in archives.fill(options.folder, settings.mirror):
        print(path)
    print(f"Serve it, and say where: MINITWIT_MIRROR=file://{options.folder.resolve()} make up")
    return 0


def _send_test_alert(settings: Settings, _: argparse.Namespace) -> int:
    return send_test_alert.run(status.running(settings))


def _backup(settings: Settings, _: argparse.Namespace) -> int:
    _script(settings, "backup.sh")


def _restore(settings: Settings, options: argparse.Namespace) -> int:
    swap = ["--swap"] if options.swap else []
    file = [str(options.file.resolve())] if options.file else []
    _script(settings, "restore.sh", *swap, *file)


def _psql(settings: Settings, options: argparse.Namespace) -> int:
    _script(settings, "psql.sh", *filter(None, [options.database]))


def _script(settings: Settings, name: str, *arguments: str) -> NoReturn:
    """Run a script of deploy/backup in the component's environment.

    All but ``backup`` run as the database's owner.
    """
    layout = status.running(settings)
    environment = {**os.environ, **layout.environment(COMPONENTS["backup"])}
    if name != "backup.sh":
        for variable, file in (("PGUSER", "owner_user"), ("PGPASSWORD", "owner_password")):
            environment[f"{variable}_FILE"] = str(settings.secrets / file)
    command = ["sh", str(ROOT / "deploy/backup" / name), *arguments]
    # In our place: Ctrl-C is the script's, which cleans up, or psql's, which cancels a statement.
    sys.stdout.flush()
    os.execvpe("sh", command, environment)  # noqa: S606


def _install(settings: Settings, _: argparse.Namespace) -> int:
    """Fetch all that ``up`` may need; 1 if something that could be fetched is missing."""
    why = archives.fetch(settings)
    lines = [why, tools.obtain(tools.TOOLS, settings.cache)]
    for name in tools.TOOLS:
        program = tools.find(name, settings.cache)
        print(f"{name:18} {program.path if program else 'not on this machine'}")
    print(*filter(None, lines), sep="\n", end="", file=sys.stderr)
    return 1 if any(lines) else 0
