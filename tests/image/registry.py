"""A container registry on loopback that takes pushes and remembers manifests; of blobs it keeps nothing."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Registry:
    """What was pushed."""

    address: str
    digests: dict[str, str] = field(default_factory=dict)
    """Of each manifest, computed from its bytes, by `<repository>:<tag>`."""


class _Handler(BaseHTTPRequestHandler):
    """The part of the OCI distribution API that a push uses."""

    protocol_version = "HTTP/1.1"
    found: Registry

    def do_GET(self) -> None:
        self._answer(200 if self.path == "/v2/" else 404)

    def do_HEAD(self) -> None:
        self._answer(404)

    def do_POST(self) -> None:
        self._answer(202, Location=f"{self.path}1")

    def do_PATCH(self) -> None:
        self._body()
        self._answer(202, Location=self.path)

    def do_PUT(self) -> None:
        body = self._body()
        name, manifest, tag = self.path.removeprefix("/v2/").partition("/manifests/")
        if manifest:
            self.found.digests[f"{name}:{tag}"] = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self._answer(201)

    def _answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def registry() -> Generator[Registry]:
    """A registry that runs."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.found = found = Registry(f"127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()
