"""A stand-in for a Swarm's engine, which the real docker command asks over HTTP.

It keeps services with their specifications as an engine does, refuses an update of what is no
longer the newest version, and has a task for each replica at once.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
NODE = {"ID": "node1", "Description": {"Hostname": "worker1"}, "Spec": {"Role": "worker"}}
NETWORK = {"Id": "network1", "Name": "minitwit_default", "Scope": "swarm", "Driver": "overlay"}


def tag(image: str) -> str:
    """An image without its digest."""
    return image.partition("@")[0]


class Refused(Exception):
    """An answer with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Swarm:
    """The stack minitwit: two replicas of api and web, and canaries without one."""

    unhealthy: set[str] = field(default_factory=set)  # images that never get healthy
    services: dict[str, Json] = field(default_factory=dict)
    tasks: dict[str, Json] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    address: str = ""
    _number: int = 10

    def deploy(self, image: str, canaries: bool = True) -> None:
        """What `docker stack deploy` brings about."""
        for name in ("api", "web"):
            self.put(name, image, 2)
            if canaries:
                self.put(f"{name}-canary", image, 0)

    def put(self, name: str, image: str, replicas: int) -> None:
        """Create a service of the stack, or update it."""
        name = f"minitwit_{name}"
        spec = {
            "Name": name,
            "TaskTemplate": {"ContainerSpec": {"Image": image}},
            "Mode": {"Replicated": {"Replicas": replicas}},
            "EndpointSpec": {"Mode": "dnsrr"},
        }
        if name in self.services:
            self._update(self.services[name], spec)
        else:
            self._create(spec)

    def addresses(self, name: str) -> list[str]:
        """Of the replicas of a service that run."""
        return [
            one["NetworksAttachments"][0]["Addresses"][0].partition("/")[0]
            for one in list(self.tasks.values())
            if one["ServiceID"] == f"id-minitwit_{name}" and one["DesiredState"] == "running"
        ]

    @property
    def coming(self) -> str:
        """The address of the next replica."""
        return f"10.0.1.{self._number + 1}"

    def images(self, name: str) -> set[str]:
        """Of the replicas of a service that run."""
        return {
            one["Spec"]["ContainerSpec"]["Image"]
            for one in list(self.tasks.values())
            if one["ServiceID"] == f"id-minitwit_{name}" and one["DesiredState"] == "running"
        }

    def _create(self, spec: Json) -> Json:
        service: Json = {"ID": f"id-{spec['Name']}", "Version": {"Index": 1}, "Spec": spec}
        self.services[spec["Name"]] = service
        self._converge(service)
        return service

    def _update(self, service: Json, spec: Json) -> None:
        service["PreviousSpec"] = service["Spec"]
        service["Spec"] = copy.deepcopy(spec)
        service["Version"]["Index"] += 1
        service["UpdateStatus"] = {"State": "completed"}
        self._converge(service)

    def _converge(self, service: Json) -> None:
        """A task for each replica; those of another image end."""
        spec = service["Spec"]
        image = spec["TaskTemplate"]["ContainerSpec"]["Image"]
        own = [
            one
            for one in list(self.tasks.values())
            if one["ServiceID"] == service["ID"] and one["DesiredState"] == "running"
        ]
        job = "ReplicatedJob" in spec["Mode"]
        wanted = 1 if job else spec["Mode"]["Replicated"]["Replicas"]
        right = [one for one in own if one["Spec"]["ContainerSpec"]["Image"] == image][:wanted]
        for one in own:
            if one not in right:
                one["DesiredState"] = one["Status"]["State"] = "shutdown"
        for slot in range(len(right), wanted):
            self._number += not job
            state = "starting" if tag(image) in self.unhealthy else "running"
            name = "job" if job else f"task{self._number}"
            self.tasks[name] = {
                "ID": name,
                "ServiceID": service["ID"],
                "NodeID": NODE["ID"],
                "Slot": slot + 1,
                "Spec": copy.deepcopy(spec["TaskTemplate"]),
                "Status": {"State": "complete" if job else state,
                           "Timestamp": "2026-01-01T00:00:00Z"},
                "DesiredState": "complete" if job else "running",
                "NetworksAttachments": [
                    {"Network": NETWORK, "Addresses": [f"10.0.1.{self._number}/24"]}
                ],
            }  # fmt: skip

    # ---- Docker's HTTP API ------------------------------------------------------------------
    def find(self, name: str) -> Json:
        """A service by name or id."""
        for service in self.services.values():
            if name in (service["ID"], service["Spec"]["Name"]):
                return service
        raise Refused(404, f"service {name} not found")

    def list_tasks(self, filters: dict[str, list[str]]) -> list[Json]:
        """The tasks of these services, in these states."""
        for kind in filters:
            if kind not in ("service", "desired-state"):
                raise Refused(400, f"invalid filter '{kind}'")
        ids = {self.find(name)["ID"] for name in filters.get("service", [])}
        states = filters.get("desired-state", [])
        return [
            one
            for one in list(self.tasks.values())
            if one["ServiceID"] in ids and (not states or one["DesiredState"] in states)
        ]

    def list_services(self, filters: dict[str, list[str]]) -> list[Json]:
        """The services of which the name begins so, or of these ids."""
        names = (*filters.get("name", ()), *filters.get("id", ()))
        return [
            one
            for one in self.services.values()
            if any(one["Spec"]["Name"].startswith(n) or one["ID"] == n for n in names)
        ]

    def update(self, name: str, query: dict[str, str], body: Json) -> Json:
        """An update or a rollback."""
        service = self.find(name)
        if int(query["version"]) != service["Version"]["Index"]:
            raise Refused(400, "rpc error: code = Unknown desc = update out of sequence")
        if query.get("rollback") == "previous":
            if "PreviousSpec" not in service:
                raise Refused(400, "service does not have a previous spec")
            body = service["PreviousSpec"]
        self._update(service, body)
        return {"Warnings": None}

    def remove(self, name: str) -> None:
        """A service and its tasks."""
        service = self.services.pop(self.find(name)["Spec"]["Name"])
        for one in list(self.tasks.values()):
            if one["ServiceID"] == service["ID"]:
                del self.tasks[one["ID"]]

    def answer(self, method: str, path: str, query: dict[str, str], body: Json) -> Any:
        """What an engine answers; Refused where it has nothing."""
        path = re.sub(r"^/v[\d.]+", "", path)
        filters = {
            kind: list(values) for kind, values in json.loads(query.get("filters", "{}")).items()
        }
        routes: dict[str, Callable[[str], Any]] = {
            r"GET /services": lambda _: self.list_services(filters),
            r"GET /services/([^/]+)": self.find,
            r"POST /services/create": lambda _: self._create(body),
            r"POST /services/([^/]+)/update": lambda name: self.update(name, query, body),
            r"DELETE /services/([^/]+)": self.remove,
            r"GET /tasks": lambda _: self.list_tasks(filters),
            r"GET /tasks/([^/]+)": lambda name: self.tasks[name],
            r"GET /nodes": lambda _: [NODE],
            r"GET /nodes/([^/]+)": lambda _: NODE,
            r"GET /networks": lambda _: [NETWORK],
            r"GET /networks/([^/]+)": lambda _: NETWORK,
            r"GET /secrets": lambda _: [
                {"ID": name, "Spec": {"Name": name}} for name in filters.get("name", [])
            ],
            r"GET /info": lambda _: {
                "Swarm": {"LocalNodeState": "active", "ControlAvailable": True}
            },
            r"POST /stack": lambda _: self.deploy(query["image"]),
        }
        for pattern, act in routes.items():
            if found := re.fullmatch(pattern, f"{method} {path}"):
                return act(found[1] if found.groups() else "")
        raise Refused(404, f"no such thing here: {method} {path}")


@contextmanager
def engine(swarm: Swarm) -> Iterator[Swarm]:
    """Serve the API; the address is for DOCKER_HOST."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if url.path == "/_ping":
                return self.reply(200, "OK")
            query = {key: unquote(values[0]) for key, values in parse_qs(url.query).items()}
            with lock:
                swarm.asked.append(f"{self.command} {self.path}")
                try:
                    found = swarm.answer(self.command, url.path, query, json.loads(body or b"{}"))
                    self.reply(200, found)
                except Refused as why:
                    self.reply(why.status, {"message": str(why)})

        do_GET = do_HEAD = do_POST = do_DELETE = handle_one

        def reply(self, status: int, found: Any) -> None:
            data = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Api-Version", "1.45")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        swarm.address = f"tcp://127.0.0.1:{server.server_address[1]}"
        try:
            yield swarm
        finally:
            server.shutdown()
            thread.join()
