"""The servers: HTTP on loopback, with or without TLS; logins demanded, requests checked and remembered, faults."""

import base64
import binascii
import gzip
import json
import socket
import ssl
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.harness.elastic import reference
from tests.harness.elastic.access import User
from tests.harness.elastic.apis import VERSION, Apis
from tests.harness.elastic.faults import Fault, Faults
from tests.harness.elastic.kibana import Kibana
from tests.harness.elastic.streams import Refusal, Stream, Streams, actions


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came, and how it was answered; 0: not at all."""

    method: str
    path: str
    query: Mapping[str, str]
    user: str | None
    body: bytes
    status: int

    @property
    def changes(self) -> bool:
        """Whether it changed, or tried to change, anything."""
        return self.method in ("PUT", "POST", "DELETE") and not self.path.endswith(("_search", "_count", "_simulate"))


class Elastic:
    """An Elasticsearch, and with `kibana` a Kibana, that tests look into."""

    def __init__(self, users: Mapping[str, User], *, version: str = VERSION, nodes: int = 1) -> None:
        self.users = dict(users)
        self.streams = Streams()
        self.apis = Apis(self.streams, version, nodes)
        self.kibana = Kibana(version)
        self.faults = Faults()
        self.requests: list[Request] = []
        self.lock = threading.RLock()

    def documents(self, stream: str) -> list[dict[str, Any]]:
        """What a stream holds, in the order of its arrival."""
        with self.lock:
            found: Stream | None = self.streams.streams.get(stream)
            return list(found.documents.values()) if found else []

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, *, kibana: bool = False
    ) -> tuple[int, Any]:
        """Status and body for a request; (0, None): none at all."""
        split = urlsplit(target)
        path, query = unquote(split.path), dict(parse_qsl(split.query, keep_blank_values=True))
        name, user = self._login(headers)
        fault = self.faults.take(path)
        if fault is not None and fault.kind == "hang":
            self.faults.released.wait(fault.seconds)
        with self.lock:
            try:
                status, made = self._answer(method, path, query, headers, body, user, fault, kibana)
            except Refusal as refusal:
                status, made = refusal.status, refusal.body
            self.requests.append(Request(method=method, path=path, query=query, user=name, body=body, status=status))
        return status, made

    def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        user: User | None,
        fault: Fault | None,
        kibana: bool,
    ) -> tuple[int, Any]:
        if fault is not None and fault.kind in ("reset", "hang"):
            return 0, None
        if fault is not None and fault.kind == "status":
            raise Refusal(fault.status, "scripted", f"answered {fault.status} by the test")
        if kibana and path == "/api/status":
            return self.kibana.call(method, path, query, headers, body)
        if user is None:
            raise Refusal(401, "security_exception", "missing or wrong authentication credentials for REST request")
        if kibana:
            if path.startswith("/api/security/") and not user.may("security.put_role", None):
                raise Refusal(
                    403, "security_exception", "action [cluster:admin/xpack/security/role/put] is unauthorized"
                )
            return self.kibana.call(method, path, query, headers, body)
        found = reference.find(method, path)
        if found is None:
            raise Refusal(405, "illegal_argument_exception", f"no handler found for uri [{path}] and method [{method}]")
        api, holes = found
        if api.name == "bulk":
            if problem := api.problem(query, None):
                raise Refusal(400, "illegal_argument_exception", problem)
            return self._bulk(body, holes.get("index"), user, fault)
        try:
            content = json.loads(body) if body.strip() else None
        except ValueError:
            raise Refusal(400, "parse_exception", "request body is no JSON") from None
        if problem := api.problem(query, content):
            raise Refusal(400, "illegal_argument_exception", problem)
        if not user.may(api.name, next(iter(holes.values()), None)):
            raise Refusal(403, "security_exception", f"action [{api.name}] is unauthorized for user")
        return 200, self.apis.call(api.name, holes, query, content)

    def _bulk(self, body: bytes, index: str | None, user: User, fault: Fault | None) -> tuple[int, Any]:
        wanted = list(actions(body, index))
        items = []
        if fault is not None and fault.kind == "half":
            wanted = wanted[: (len(wanted) + 1) // 2]
        for place, (operation, target, identity, document) in enumerate(wanted):
            if target is None:
                raise Refusal(400, "action_request_validation_exception", "index is missing")
            items.append({operation: self._item(place, operation, target, identity, document, user, fault)})
        if fault is not None and fault.kind == "half":
            return 0, None
        failed = any("error" in item for one in items for item in one.values())
        return 200, {"took": 1, "errors": failed, "items": items}

    def _item(
        self,
        place: int,
        operation: str,
        target: str,
        identity: str | None,
        document: dict[str, Any],
        user: User,
        fault: Fault | None,
    ) -> dict[str, Any]:
        refused = {"_index": target, "_id": identity}
        if fault is not None and place % 2 and fault.kind == "items":
            error = {
                "type": "es_rejected_execution_exception",
                "reason": "rejected execution of coordinating operation",
            }
            return {**refused, "status": fault.status, "error": error}
        if fault is not None and place % 2 and fault.kind == "mapping":
            self.streams.refused.append((target, "scripted"))
            error = {"type": "document_parsing_exception", "reason": "failed to parse field by the test"}
            return {**refused, "status": 400, "error": error}
        if operation != "create":
            reason = "only write ops with an op_type of create are allowed in data streams"
            return {**refused, "status": 400, "error": {"type": "illegal_argument_exception", "reason": reason}}
        return self.streams.store(target, identity, document, user)

    def _login(self, headers: Mapping[str, str]) -> tuple[str | None, User | None]:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None, None
        try:
            name, _, password = base64.b64decode(given).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None, None
        user = self.users.get(name)
        return name, user if user is not None and user.password == password else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64
    tls: ssl.SSLContext | None = None

    def __init__(self, *args: Any) -> None:  # noqa: ANN401  as the library has it
        super().__init__(*args)
        self.opened: set[socket.socket] = set()

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  as the library has it
        """With TLS from the first byte; shaking hands in the connection's own thread."""
        request.settimeout(30)
        if self.tls is not None:
            request = self.tls.wrap_socket(request, server_side=True)
        self.opened.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            self.opened.discard(request)
            request.close()

    def break_off(self) -> None:
        """End every connection, as a process that ends does."""
        for request in list(self.opened):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Clients that break a connection off are part of the tests."""


@contextmanager
def serve(
    elastic: Elastic, *, tls: ssl.SSLContext | None = None, kibana: bool = False, port: int = 0
) -> Generator[int]:
    """Run one of the two servers on loopback and give its port. A server that ended can be begun again on its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self._body()
            headers = {key.lower(): value for key, value in self.headers.items()}
            status, answer = elastic.answer(self.command, self.path, headers, body, kibana=kibana)
            if status == 0:
                self.close_connection = True
                return
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            if not kibana:
                self.send_header("X-Elastic-Product", "Elasticsearch")
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="security", charset="UTF-8"')
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                body = b"".join(parts)
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle

        def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401
            """Nothing: tests look at `Elastic.requests`."""

    with _Server(("127.0.0.1", port), Handler) as server:
        server.tls = tls
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            elastic.faults.released.set()
            server.shutdown()
            server.break_off()
            elastic.faults.released.clear()
