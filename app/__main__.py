"""Command line: ``python -m app api | web | migrate``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from starlette.applications import Starlette

from app import VERSION, server, settings
from app.api import application as api_application
from app.database.migrate import MigrationError, migrate
from app.settings import Environment, SettingsError
from observability.health import Check
from observability.logs import Log
from observability.metrics import Meter


def run_api(env: Environment) -> None:
    """Serve the JSON API (PORT, 5001 by default)."""
    own = settings.api(env)

    def create(meter: Meter, log: Log) -> tuple[Starlette, dict[str, Check]]:
        app, database = api_application.create(own, meter, log)
        return app, {"database": database.check}

    server.run("api", settings.server(env, 5001), create)


def run_web(env: Environment) -> None:
    """Serve the web page (PORT, 5000 by default)."""
    from app.web import application as web_application

    own = settings.web(env)

    def create(meter: Meter, log: Log) -> tuple[Starlette, dict[str, Check]]:
        # Readiness does not depend on api: without it, web still serves its friendly 503 page.
        return web_application.create(own, meter, log), {}

    server.run("web", settings.server(env, 5000), create)


def run_migrate(env: Environment) -> None:
    """Bring the database schema up to date."""
    applied = migrate(settings.database(env).url.reveal())
    print("\n".join(f"applied {name}" for name in applied) or "the schema is up to date")


COMMANDS: dict[str, Callable[[Environment], None]] = {
    "api": run_api,
    "web": run_web,
    "migrate": run_migrate,
}


def main() -> int:
    """Parse the command and run it; a wrong setting is one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m app", description="MiniTwit")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        commands.add_parser(name, help=function.__doc__, description=function.__doc__)
    command = parser.parse_args().command
    try:
        COMMANDS[command](Environment(os.environ))
    except (SettingsError, MigrationError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
