"""Exceptions of a request, each with its HTTP status; handlers turn them into responses."""

from __future__ import annotations


class Problem(Exception):
    """Base class: ``message`` is for the client, so it never contains a cause's own text."""

    status = 500
    default = "Internal Server Error"
    headers: dict[str, str] = {}  # noqa: RUF012  (a constant of the class)

    def __init__(self, message: str = "") -> None:
        self.message = message or self.default
        super().__init__(self.message)


class Invalid(Problem):
    """The request is malformed."""

    status = 400
    default = "Bad Request"


class Unauthorized(Problem):
    """The client is not logged in, or the log-in failed."""

    status = 401
    default = "You have to log in"


class Forbidden(Problem):
    """The simulator's credentials are missing or wrong."""

    status = 403
    default = "You are not authorized to use this resource!"


class NotFound(Problem):
    """No such user."""

    status = 404
    default = "There is no such user"


class TooLarge(Problem):
    """The body is larger than any valid request's."""

    status = 413
    default = "The request is too large"


class TooMany(Problem):
    """Too many attempts; ``seconds`` tells when to try again."""

    status = 429
    default = "Too many attempts; try again later"

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(max(seconds, 1))}


class Busy(Problem):
    """The service is overloaded; ``seconds`` tells when the queue will be shorter."""

    status = 503
    default = "Too many log in or register just now; try again later"

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(max(seconds, 1))}


class ClientClosedRequest(Problem):
    """The client closed the connection, and its work was cancelled (nginx's status)."""

    status = 499
    default = "The client closed the connection"


class Unavailable(Problem):
    """The database is unavailable; a retry may help."""

    status = 503
    default = "The service is temporarily unavailable"
    headers = {"Retry-After": "1"}  # noqa: RUF012


class Overloaded(Unavailable):
    """A new request would wait for the database for too long."""

    default = "The service is overloaded; try again later"
