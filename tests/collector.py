"""An OTLP collector: takes spans over HTTP as Tempo does, and returns them.

``python -m tests.collector [PORT]`` listens (on 4318) and prints the spans of what failed.
"""

from __future__ import annotations

import gzip
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observability.catalog import Attribute

KINDS = {1: "internal", 2: "server", 3: "client"}
ERROR = 2


@dataclass(frozen=True)
class Span:
    """A span as it came; ``start`` and ``end`` in nanoseconds since the epoch."""

    service: str
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    start: int
    end: int
    failed: bool
    attributes: dict[str, Any] = field(default_factory=dict)
    scope: str = ""
    events: int = 0
    resource: dict[str, Any] = field(default_factory=dict)


class Collector:
    """Listens on ``port``; ``mode`` is the status of its responses, or ``hang``.

    Without ``look`` it takes anything without decoding it.
    """

    def __init__(self, port: int = 0, look: bool = True) -> None:
        self.mode: int | str = 200
        self.spans: list[Span] = []
        self.posts = 0
        self.bodies: list[bytes] = []  # as they came, for a search
        self.headers: dict[str, str] = {}
        self.release = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                collector.posts += 1
                if look:
                    collector.bodies.append(body)
                collector.headers = dict(self.headers)
                if collector.mode == "hang":
                    collector.release.wait(60)
                status = collector.mode if isinstance(collector.mode, int) else 200
                if status == 200 and look:
                    assert self.path == "/v1/traces"
                    assert self.headers["Content-Type"] == "application/x-protobuf"
                    collector.take(ExportTraceServiceRequest.FromString(body))
                answer = b""
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A client that has left is no error here."""

        self.server = Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for group in request.resource_spans:
            resource = _plain(group.resource.attributes)
            for scope in group.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        Span(
                            resource["service.name"],
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            span.name,
                            KINDS[span.kind],
                            span.start_time_unix_nano,
                            span.end_time_unix_nano,
                            span.status.code == ERROR,
                            _plain(span.attributes),
                            scope.scope.name,
                            len(span.events),
                            resource,
                        )
                    )

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of a trace that have come so far, the earliest first."""
        found = [span for span in list(self.spans) if span.trace_id == trace_id]
        return sorted(found, key=lambda span: span.start)

    def of_request(self, request_id: str) -> list[Span]:
        """All of the trace in which a request with this id was served."""
        for span in list(self.spans):
            if span.attributes.get("minitwit.request_id") == request_id:
                return self.trace(span.trace_id)
        return []

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextmanager
def receiver(port: int = 0, look: bool = True) -> Iterator[Collector]:
    """A receiver for as long as the block runs."""
    collector = Collector(port, look)
    try:
        yield collector
    finally:
        collector.close()


def show(collector: Collector) -> None:
    """Print each span of a failure as it comes, until interrupted."""
    seen = 0
    while True:
        time.sleep(0.2)
        for span in collector.spans[seen:]:
            seen += 1
            if span.failed:
                took = (span.end - span.start) / 1e6
                error = span.attributes[Attribute.ERROR_TYPE]
                print(f"{span.trace_id} {span.parent_id or '-':16} {span.span_id} {span.service} "
                      f"{span.kind} {span.name!r} {took:.0f} ms {error}", flush=True)  # fmt: skip


if __name__ == "__main__":
    with (
        suppress(KeyboardInterrupt),
        receiver(int(sys.argv[1]) if sys.argv[1:] else 4318) as running,
    ):
        show(running)
