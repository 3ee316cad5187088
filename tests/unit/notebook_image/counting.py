"""An application: says how often it was started, is not ready at first, and echoes what a websocket sends."""

import os
import sys
import time
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets, bind_unix_socket
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

BEGUN = time.monotonic()
UNREADY = 0.4
"""Seconds for which it listens and answers 503."""


class Ready(RequestHandler):
    """Its ready path."""

    def get(self) -> None:  # ty: ignore[incompatible-mutable-override]
        self.set_status(200 if time.monotonic() > BEGUN + UNREADY else 503)
        self.write("ready")


class Told(RequestHandler):
    """What it was asked, and with what."""

    def get(self, path: str) -> None:  # ty: ignore[incompatible-mutable-override]
        self.write({"path": path, "host": self.request.host, "greeting": os.environ["GREETING"]})


class Echo(WebSocketHandler):
    """A websocket."""

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)


if __name__ == "__main__":
    place, starts = sys.argv[1:]
    with Path(starts).open("a") as file:
        file.write(f"{os.getpid()}\n")
    server = HTTPServer(Application([("/ready", Ready), ("/echo", Echo), ("(.*)", Told)]))
    server.add_sockets([bind_unix_socket(place)] if "/" in place else bind_sockets(int(place), "127.0.0.1"))
    IOLoop.current().start()
