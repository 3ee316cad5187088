"""Takes what Alertmanager sends, shows it to whoever asks, and counts it as a metric."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

received: list[dict[str, object]] = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        received.extend(message["alerts"])
        self._answer("application/json", "{}")

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer("text/plain", f"# TYPE received_alerts gauge\nreceived_alerts {len(received)}\n")
        else:
            self._answer("application/json", json.dumps(received))

    def _answer(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())


ThreadingHTTPServer(("", 8080), Handler).serve_forever()
