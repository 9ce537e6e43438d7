"""Reads the API's state: its latest id, and the data to verify."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from simulator.client import Client, Outcome
from simulator.wire import Wire

PATIENCE = 10.0  # seconds: reading is no part of what is measured
_ALL = "?no=1000000"


class ReadError(Exception):
    """The API gave an unexpected response; the text is one line for the user."""


class Reader:
    """A client with longer time-outs than the simulator's."""

    def __init__(self, wire: Wire, client: Client) -> None:
        self._wire = wire
        self._client = Client(client.address, PATIENCE, client.keep_alive)

    async def latest(self) -> int:
        """Return the id of ``/latest``, -1 before any. Raises ReadError."""
        try:
            return int((await self._get("/latest"))["latest"])
        except (KeyError, TypeError, ValueError):
            where = f"{self._client.address}/latest"
            raise ReadError(f"{where} answered no latest id: is this the api?") from None

    async def follows(self, user: str) -> set[str] | None:
        """Return the users that a user follows; None if unknown. Raises ReadError."""
        data = await self._get("/fllws/", user, _ALL)
        return None if data is None else set(data["follows"])

    async def messages(self, user: str) -> Counter[str]:
        """Return a user's messages, text to count. Raises ReadError."""
        data = await self._get("/msgs/", user, _ALL)
        return Counter(message["content"] for message in data or [])

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    async def _get(self, route: str, user: str = "", query: str = "") -> Any:
        outcome = await self._client.send(self._wire.get(route, user, query))
        if user and outcome.status == 404:
            return None
        where = f"{self._client.address}{route}{user}"
        if outcome.kind != "answer" or outcome.status != 200:
            raise ReadError(f"{where}: {describe(outcome)}")
        try:
            return json.loads(outcome.body)
        except ValueError:
            raise ReadError(f"{where} answered no JSON: is this the api?") from None


def describe(outcome: Outcome) -> str:
    """Describe how a request ended, on one line."""
    if outcome.kind == "answer":
        text = " ".join(outcome.body.decode(errors="replace").split())[:120]
        return f"answered {outcome.status} {text}".rstrip()
    if outcome.kind == "timeout":
        return f"no answer within {outcome.seconds:.1f} s"
    words = {"refused": "no connection", "reset": "connection lost", "other": "failed"}
    return f"{words[outcome.kind]} ({outcome.detail})"
