"""Every attribute of MiniTwit's spans."""

from __future__ import annotations

from enum import StrEnum


class Attribute(StrEnum):
    """Span attributes: OpenTelemetry's stable semantic conventions, and a few of our own.

    None identifies the client: paths, queries, addresses and user agents are left out.
    """

    METHOD = "http.request.method"
    ROUTE = "http.route"
    STATUS = "http.response.status_code"
    SCHEME = "url.scheme"
    PROTOCOL_VERSION = "network.protocol.version"
    ERROR_TYPE = "error.type"
    SERVER_ADDRESS = "server.address"
    SERVER_PORT = "server.port"
    DB_SYSTEM = "db.system.name"
    DB_QUERY = "db.query.summary"
    REQUEST_ID = "minitwit.request_id"
    DB_SECONDS = "minitwit.db.duration"  # of all statements, without the wait for a connection
    ACTION = "minitwit.action"
    OUTCOME = "minitwit.outcome"
    REASON = "minitwit.reason"  # why the trace was sampled: sampled (head), slow or error (tail)
