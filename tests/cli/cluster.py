"""An API server that knows a few kinds and holds nothing: what a preview asks of a cluster before the first up."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# The stand-in takes every kind that a server does not know for one with namespaces.
_WITHOUT_NAMESPACE = {
    "/api/v1": {"namespaces": "Namespace"},
    "/apis/rbac.authorization.k8s.io/v1": {
        "clusterroles": "ClusterRole",
        "clusterrolebindings": "ClusterRoleBinding",
    },
    "/apis/scheduling.k8s.io/v1": {"priorityclasses": "PriorityClass"},
    "/apis/snapshot.storage.k8s.io/v1": {"volumesnapshotclasses": "VolumeSnapshotClass"},
    "/apis/storage.k8s.io/v1": {"storageclasses": "StorageClass"},
}


@dataclass(frozen=True, kw_only=True)
class EmptyCluster:
    """Where it answers, and what was asked of it that is more than a question."""

    kubeconfig: Path
    written: list[str] = field(default_factory=list)
    """Requests that would have changed something; dry runs are none."""


@contextmanager
def empty_cluster(folder: Path, context: str) -> Generator[EmptyCluster]:
    """The server on loopback, and a kubeconfig for it whose one context has this name."""
    cluster = EmptyCluster(kubeconfig=folder / "kubeconfig")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kinds = _WITHOUT_NAMESPACE.get(self.path)
            if kinds is None:
                self._answer(404, {"kind": "Status", "reason": "NotFound", "message": "there is no such thing"})
            else:
                resources = [{"name": name, "kind": kind, "namespaced": False} for name, kind in kinds.items()]
                self._answer(200, {"kind": "APIResourceList", "resources": resources})

        def _write(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "dryRun=All" not in self.path:
                cluster.written.append(f"{self.command} {self.path}")
            self._answer(404, {"kind": "Status", "reason": "NotFound", "message": "its namespace is yet to be made"})

        do_POST = do_PATCH = do_PUT = do_DELETE = _write

        def _answer(self, status: int, body: dict[str, object]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test's output is the engine's."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": "empty"}}],
        "clusters": [{"name": "empty", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
    }
    cluster.kubeconfig.write_text(json.dumps(config))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()
