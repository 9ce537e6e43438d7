"""Command line: ``python -m app api | web | migrate | import-sqlite | flag``."""

from __future__ import annotations

import argparse
import os
import sys
from argparse import Namespace
from collections.abc import Callable

from starlette.applications import Starlette

from app import VERSION, server, settings
from app.api import application as api_application
from app.database import moderation
from app.database.migrate import MigrationError, migrate
from app.database.moderation import ModerationError
from app.database.roles import ONE, RolesError, parse
from app.settings import Environment, SettingsError
from app.transfer import command
from app.transfer.problems import TransferError
from app.web import application as web_application
from observability import catalog
from observability.instrument.commands import command_log
from observability.instrument.health import Check
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter


def run_api(env: Environment, options: Namespace) -> None:
    """Serve the JSON API (PORT, 5001 by default)."""
    own = settings.api(env)

    def create(meter: Meter, log: Log) -> tuple[Starlette, dict[str, Check]]:
        if warning := settings.warning(env):
            log.warning("startup", warning)
        app, database = api_application.create(own, meter, log)
        return app, {"database": database.check}

    server.run("api", settings.server(env, 5001), create)


def run_web(env: Environment, options: Namespace) -> None:
    """Serve the web page (PORT, 5000 by default)."""
    own = settings.web(env)

    def create(meter: Meter, log: Log) -> tuple[Starlette, dict[str, Check]]:
        # Readiness does not depend on api: without it, web still serves its friendly 503 page.
        return web_application.create(own, meter, log), {}

    server.run("web", settings.server(env, 5000), create)


def run_migrate(env: Environment, options: Namespace) -> None:
    """Bring the database schema up to date and grant each role its privileges."""
    url, roles = settings.database(env).url.reveal(), parse(settings.roles(env))
    with command_log(catalog.MIGRATE, "migration", settings.loki(env)) as log:
        told = migrate(url, roles) or ["the schema is up to date"]
        told += [] if roles else [ONE]
        for line in told:
            log.info("migration", line, version=VERSION)
    print("\n".join(told))


def run_flag(env: Environment, options: Namespace) -> None:
    """List flagged messages (or one author's), flag messages, unflag them."""
    url = settings.database(env).url.reveal()
    if options.action == "list":
        found = moderation.find(url, options.author)
        print("\n".join(map(str, found)) or "no messages found")
        return
    if not options.id:
        raise ModerationError(f"'{options.action}' needs the ids of messages")
    done = "flagged" if options.action == "set" else "unflagged"
    with command_log(catalog.FLAG, "flag", settings.loki(env)) as log:
        for number in options.id:
            moderation.flag(url, number, flagged=options.action == "set")
            log.info("flag", f"{done} message {number}", action=done)
            print(f"{done} {number}", flush=True)


def run_import(env: Environment, options: Namespace) -> int:
    """Move a running SQLite MiniTwit into PostgreSQL while both live."""
    url = settings.database(env).url.reveal()
    with command_log(catalog.IMPORT, "import", settings.loki(env)) as log:
        chosen = [name for name in ("cut_over", "verify", "dry_run") if getattr(options, name)]
        log.info("import", f"import of {options.file} begins", action=",".join(chosen) or "follow")
        status = command.run(url, options)
        if status:
            log.warning("import", f"the import ends with exit status {status}", count=status)
    return status


COMMANDS: dict[str, Callable[[Environment, Namespace], int | None]] = {
    "api": run_api,
    "web": run_web,
    "migrate": run_migrate,
    "import-sqlite": run_import,
    "flag": run_flag,
}


def arguments() -> argparse.ArgumentParser:
    """Build the command-line parser."""
    parser = argparse.ArgumentParser(prog="python -m app", description="MiniTwit")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {
        name: commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        for name, function in COMMANDS.items()
    }
    command.declare(parsers["import-sqlite"])
    parsers["flag"].add_argument("action", choices=("list", "set", "clear"))
    parsers["flag"].add_argument("id", type=int, nargs="*", help="a message's id, as listed")
    parsers["flag"].add_argument("--author", help="list this user's newest messages")
    return parser


def main() -> int:
    """Run the command; a wrong setting is reported in one line on standard error."""
    options = arguments().parse_args()
    try:
        return COMMANDS[options.command](Environment(os.environ), options) or 0
    except (SettingsError, MigrationError, ModerationError, RolesError, TransferError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
