"""uvicorn's way of writing the head of an answer, without looking at what is known to be good.

uvicorn holds two patterns against each header of each answer, lest one splits the answer in two.
The names and values that this service writes for itself need no looking at; all others get it.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http import httptools_impl

STATUS_LINE = httptools_impl.STATUS_LINE
# Written by Starlette and by the telemetry from numbers, constants and ids that were looked at.
LENGTH = b"content-length"
_OURS = frozenset((LENGTH, b"content-type", b"x-request-id"))


class Cycle(httptools_impl.RequestResponseCycle):
    """One request and its answer."""

    async def send(self, message: Any) -> None:
        """An answer's head made of our own headers is written at once, the rest as ever."""
        if self.response_started or not self._plain(message):
            await super().send(message)
            return
        self.response_started = True
        self.waiting_for_100_continue = False
        content = [STATUS_LINE[message["status"]]]
        for name, value in self.default_headers:  # uvicorn's date
            content += name, b": ", value, b"\r\n"
        for name, value in message.get("headers", ()):
            if name == LENGTH:
                self.expected_content_length = int(value)
                self.chunked_encoding = False
            content += name, b": ", value, b"\r\n"
        if not self.keep_alive:
            content.append(b"connection: close\r\n")
        content.append(b"\r\n")
        self.transport.write(b"".join(content))

    def _plain(self, message: Any) -> bool:
        """Whether nobody has to wait, and every header is one of ours; what has no length, and
        is neither 204 nor 304, is sent in chunks, which is uvicorn's business."""
        if self.disconnected or self.flow.write_paused:
            return False
        names = {name for name, _ in message.get("headers", ())}
        return names <= _OURS and (LENGTH in names or message["status"] in (204, 304))


def install() -> None:
    """Let uvicorn's protocol make these: it takes the class from its module."""
    httptools_impl.RequestResponseCycle = Cycle  # type: ignore[misc]
