"""A person at their browser: login, server, files, kernels and terminals, all through the one address."""

import json
import urllib.error
import uuid
from http.cookiejar import CookieJar
from typing import Any

from lab.smoke.browser import Answer, Browser, WebSocket
from tests.e2e.cluster import until


class Person(Browser):
    """Somebody of the directory, and their browser."""

    def __init__(self, site: str, name: str, password: str, cookies: CookieJar | None = None) -> None:
        super().__init__(site, cookies)
        self.name, self.password = name, password
        self.home = f"/user/{name}"

    def request(
        self, method: str, path: str, form: dict[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> Answer:
        """Status, text and final address; status 0 where nobody listens, as while the proxy starts again."""
        try:
            return super().request(method, path, form, body)
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            return 0, str(error), self.site + path

    def log_in(self) -> "Person":
        """Log in, and be in."""
        status, text, url = self.login(self.name, self.password)
        assert (status, "/hub/login" in url) == (200, False), (status, url, text[-500:])
        assert self.is_in()
        return self

    def is_in(self) -> bool:
        """Whether the hub still knows this browser."""
        status, _, url = self.request("GET", "/hub/home")
        return status == 200 and url.endswith("/hub/home")

    def model(self) -> dict[str, Any]:
        """What the hub's API says of this person."""
        status, text, _ = self.request("GET", f"/hub/api/users/{self.name}")
        assert status == 200, (status, text)
        return json.loads(text)

    def ask_for_server(self, profile: str | None = None) -> Answer:
        """Ask the hub for a server."""
        body = {"profile": profile} if profile else {}
        return self.request("POST", f"/hub/api/users/{self.name}/server", body=body)

    def start(self, profile: str | None = None, seconds: float = 90) -> "Person":
        """Start the server, and open it."""
        # One that was being stopped takes as long as its applications need to save.
        until(
            f"the end of {self.name}'s last server", lambda: not self.model()["servers"].get("", {}).get("pending"), 30
        )
        status, text, _ = self.ask_for_server(profile)
        assert status in (201, 202), (status, text)
        return self.open(seconds)

    def open(self, seconds: float = 90) -> "Person":
        """Wait for the server, and go there."""
        until(f"{self.name}'s server", self.has_server, seconds)
        until(f"{self.name}'s page", lambda: f"{self.home}/lab" in self.request("GET", f"{self.home}/lab")[2], 30)
        assert self.reaches_server()
        return self

    def at_work(self) -> "Person":
        """Have a server that is open, started or not."""
        return self.open() if self.has_server() else self.start()

    def has_server(self) -> bool:
        """Whether the hub takes the server for ready."""
        return self.model()["servers"].get("", {}).get("ready", False)

    def reaches_server(self) -> bool:
        """Whether the server itself answers this browser; the hub would lead it to another page."""
        status, _, url = self.request("GET", f"{self.home}/api/status")
        return status == 200 and url.endswith(f"{self.home}/api/status")

    def stop(self) -> None:
        """Stop the server, and wait until it is gone."""
        status, text, _ = self.request("DELETE", f"/hub/api/users/{self.name}/server")
        assert status in (202, 204), (status, text)
        until(f"the end of {self.name}'s server", lambda: not self.model()["servers"], 60)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """An answer of the server's own API, which must agree."""
        status, text, _ = self.request(method, f"{self.home}/api/{path}", body=body)
        assert 200 <= status < 300, (method, path, status, text[-500:])
        return json.loads(text) if text else {}

    def write(self, path: str, text: str) -> None:
        """Save a text file."""
        self.call("PUT", f"contents/{path}", {"type": "file", "format": "text", "content": text})

    def read(self, path: str) -> str:
        """A text file's content."""
        return self.call("GET", f"contents/{path}")["content"]

    def kernel(self) -> "Kernel":
        """A new kernel of Python."""
        return Kernel.of(self, "python3")

    def type_into_terminal(self, line: str) -> None:
        """Type a line into a new terminal, and close the tab."""
        name = self.call("POST", "terminals")["name"]
        socket = WebSocket(self, f"{self.home}/terminals/websocket/{name}")
        socket.send(["stdin", f"{line}\n"])
        until("the line in the terminal", lambda: line in str(socket.receive()), 20, every=0)
        socket.close()


class Kernel:
    """A running kernel, reached as a notebook reaches it."""

    def __init__(self, person: Person, identifier: str) -> None:
        self.session = uuid.uuid4().hex
        path = f"{person.home}/api/kernels/{identifier}/channels?session_id={self.session}"
        self.channels = WebSocket(person, path)

    @classmethod
    def of(cls, person: Person, name: str) -> "Kernel":
        """A new kernel of this name."""
        return cls(person, person.call("POST", "kernels", {"name": name})["id"])

    def submit(self, code: str) -> str:
        """Have code run, without waiting; the message's id."""
        identifier = uuid.uuid4().hex
        header = {"msg_id": identifier, "msg_type": "execute_request", "session": self.session}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False, "stop_on_error": True}
        self.channels.send(
            {
                "channel": "shell",
                "header": {**header, "username": "", "version": "5.3", "date": ""},
                "parent_header": {},
                "metadata": {},
                "buffers": [],
                "content": {**content, "user_expressions": {}},
            }
        )
        return identifier

    def run(self, code: str) -> str:
        """What code prints."""
        identifier = self.submit(code)
        printed = []
        while True:
            message = self.channels.receive()
            if message.get("parent_header", {}).get("msg_id") != identifier:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            assert kind != "error", "\n".join(content["traceback"])
            if kind == "stream":
                printed.append(content["text"])
            if kind == "status" and content["execution_state"] == "idle":
                return "".join(printed)

    def close(self) -> None:
        """Close the tab; the kernel lives on."""
        self.channels.close()
