"""The HTTP client of api, and the only access to data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from starlette.exceptions import HTTPException
from yarl import URL

from app import deadline
from app.problems import Unavailable
from observability import catalog
from observability.catalog import Attribute
from observability.instrument import context, recording
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter
from observability.instrument.recording import Attributes, Recorded

# The deadline of a page, for all its calls together; after it an error page is better.
CONNECT_SECONDS = 1.0
# api gives up this much earlier, so that its response still arrives.
MARGIN_SECONDS = 0.15
OPERATIONS = ("timeline", "log_in", "log_out", "register", "post", "follow", "unfollow")
Kind = Literal["public", "home", "user"]
Fields = dict[str, Any]  # of a JSON object


@dataclass(frozen=True, slots=True)
class Message:
    """A message; ``pub_date`` is Unix time in seconds."""

    user: str
    text: str
    pub_date: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of messages, newest first; ``older`` is the next page's cursor, if any."""

    viewer: str | None
    profile: str | None
    following: bool | None
    messages: list[Message]
    older: str | None


class Client:
    """A JSON client of api with a connection pool.

    Every call raises Unavailable if there is no usable response, and HTTPException with api's
    status and text if api refuses.
    """

    def __init__(self, base_url: str, page_seconds: float, meter: Meter, log: Log) -> None:
        """Set the address of api, and how long all calls of a page may take."""
        self._base_url = base_url
        self._page_seconds = page_seconds
        self._meter = meter
        self._log = log
        url = urlsplit(base_url)
        self._server: Attributes = {
            Attribute.SERVER_ADDRESS: url.hostname or "",
            Attribute.SERVER_PORT: url.port or {"https": 443}.get(url.scheme, 80),
        }
        self._session: aiohttp.ClientSession | None = None
        for operation in OPERATIONS:
            meter.touch(catalog.UPSTREAM_DURATION, operation)

    async def open(self) -> None:
        """Create the pool; it connects at the first call."""
        self._session = aiohttp.ClientSession(
            # Shorter than api's keep-alive: no request is sent on a connection just closed.
            connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=30, ttl_dns_cache=5),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session:
            await self._session.close()

    async def timeline(
        self, kind: Kind, token: str | None, before: str = "", username: str = ""
    ) -> Timeline:
        """Return a page of a timeline. 401: home without a session; 404: no such user."""
        path = f"/api/timelines/{kind}" + (f"/{_segment(username)}" if kind == "user" else "")
        query = f"?{urlencode({'before': before})}" if before else ""
        page: Timeline = await self._call("timeline", "GET", path + query, token, read=_timeline)
        return page

    async def log_in(self, username: str, password: str, address: str) -> str:
        """Return a new session's token; api throttles by ``address``, the user's."""
        body = {"username": username, "password": password}
        token: str = await self._call(
            "log_in", "POST", "/api/sessions", None, body, address, read=_token
        )
        return token

    async def log_out(self, token: str) -> None:
        """End a session."""
        await self._call("log_out", "DELETE", "/api/session", token)

    async def register(self, username: str, email: str, password: str) -> None:
        """Add a user."""
        body = {"username": username, "email": email, "pwd": password}
        await self._call("register", "POST", "/register", None, body)

    async def post(self, token: str, text: str) -> None:
        """Post a message."""
        await self._call("post", "POST", "/api/messages", token, {"text": text})

    async def follow(self, token: str, username: str) -> None:
        """Follow someone."""
        await self._call("follow", "PUT", f"/api/follows/{_segment(username)}", token)

    async def unfollow(self, token: str, username: str) -> None:
        """Stop following someone."""
        await self._call("unfollow", "DELETE", f"/api/follows/{_segment(username)}", token)

    async def _call(
        self,
        operation: str,
        method: str,
        target: str,
        token: str | None,
        body: dict[str, str] | None = None,
        address: str = "",
        read: Callable[[Fields], Any] = dict,
    ) -> Any:
        """Return what ``read`` makes of the response; KeyError and TypeError are no use either."""
        attributes: Attributes = {Attribute.METHOD: method, **self._server}
        with recording.span(f"{method} {operation}", attributes) as span:
            answer = await self._exchange(span, operation, method, target, token, body, address)
            try:
                return read(answer)
            except (KeyError, TypeError) as error:
                raise self._failed(span, "status_5xx", operation) from error

    async def _exchange(
        self,
        span: Recorded,
        operation: str,
        method: str,
        target: str,
        token: str | None,
        body: dict[str, str] | None,
        address: str,
    ) -> Fields:
        if self._session is None:
            raise RuntimeError("the client is not open")
        left = deadline.begin(self._page_seconds)
        started = perf_counter()
        try:
            if left <= MARGIN_SECONDS:
                raise TimeoutError
            async with self._session.request(
                method,
                URL(self._base_url + target, encoded=True),
                headers=_headers(span, token, address, left - MARGIN_SECONDS),
                timeout=aiohttp.ClientTimeout(total=left, sock_connect=CONNECT_SECONDS),
                data=json.dumps(body, ensure_ascii=False).encode() if body else None,
                allow_redirects=False,
            ) as response:
                status, retry_after = response.status, response.headers.get("Retry-After")
                span.attributes[Attribute.STATUS] = status
                if status >= 400:
                    span.error = str(status)
                raw = await response.read()
            answer = json.loads(raw) if raw else {}
        except TimeoutError as error:
            raise self._failed(span, "timeout", operation) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._failed(span, "refused", operation) from error
        except ValueError as error:
            raise self._failed(span, "status_5xx", operation) from error
        finally:
            seconds = perf_counter() - started
            exemplar = request.exemplar(seconds) if (request := context.current()) else None
            self._meter.observe(catalog.UPSTREAM_DURATION, seconds, operation, exemplar=exemplar)
        if not (200 <= status < 300 or 400 <= status < 500) or not isinstance(answer, dict):
            raise self._failed(span, "status_5xx", operation, retry_after)
        if status >= 400:
            headers = {"Retry-After": retry_after} if retry_after else None
            raise HTTPException(status, str(answer.get("error_msg", "")) or None, headers)
        return answer

    def _failed(
        self, span: Recorded, reason: str, operation: str, retry_after: str | None = None
    ) -> Unavailable:
        span.error = span.error or reason
        self._meter.count(catalog.UPSTREAM_ERRORS, reason)
        self._log.warning("upstream_error", "no usable response", reason=reason, action=operation)
        problem = Unavailable()
        if retry_after:
            problem.headers = {"Retry-After": retry_after}
        return problem


def _field(fields: Fields, name: str, kind: Any) -> Any:
    """Return a field of a response; KeyError or TypeError if that is not api's."""
    if not isinstance(value := fields[name], kind):
        raise TypeError(f"{name} is of type {type(value).__name__}")
    return value


def _timeline(page: Fields) -> Timeline:
    return Timeline(
        _field(page, "viewer", str | None),
        _field(page, "profile", str | None),
        _field(page, "following", bool | None),
        [_message(m) for m in _field(page, "messages", list)],
        _field(page, "older", str | None),
    )


def _message(m: Fields) -> Message:
    return Message(_field(m, "user", str), _field(m, "text", str), _field(m, "pub_date", int))


def _token(session: Fields) -> str:
    return str(_field(session, "token", str))


def _headers(span: Recorded, token: str | None, address: str, left: float) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}" if token else "",
        "X-Request-ID": context.request_id(),
        "X-Forwarded-For": address,
        catalog.TIMEOUT_HEADER: str(max(int(left * 1000), 1)),
        **recording.headers(span),
    }
    return {name: value for name, value in headers.items() if value}


def _segment(name: str) -> str:
    return quote(name, safe="")
