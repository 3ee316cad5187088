"""A person's browser that times logins and starts: it says when a server is ready, and ends at the first surprise."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

from lab.smoke import browser

_PENDING_SECONDS = 120.0


class BrowserError(Exception):
    """The hub answered otherwise than a person expects."""


class Browser(browser.Browser):
    """One person's session at one hub, whose address has no trailing slash."""

    patience = 60

    def request(
        self, method: str, path: str, form: dict[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> browser.Answer:
        """Ask; who gives no answer at all is named."""
        try:
            return super().request(method, path, form, body)
        except OSError as error:
            raise BrowserError(f"{method} {self.site}{path} at {time.strftime('%H:%M:%S')}: {error}") from error

    def log_in(self, name: str, password: str) -> None:
        """Fill in the login page."""
        status, _, url = self.login(name, password, then="/hub/home")
        if status != 200 or not url.endswith("/hub/home"):
            raise BrowserError(f"{name} can't log in at {self.site}: {status} at {url}")

    def start_server(self, name: str) -> None:
        """Start the person's server and return once the hub has it ready."""
        status, text, _ = self.request("POST", f"/hub/api/users/{name}/server", body={})
        if status == 202:
            self._follow(name)
        elif status != 201:
            raise BrowserError(f"{name} gets no server at {self.site}: {status} {text[:500]}")

    def _follow(self, name: str) -> None:
        """What the page of a pending start does: it follows the progress until the server is ready, or asks again."""
        deadline = time.monotonic() + _PENDING_SECONDS
        while time.monotonic() < deadline:
            try:
                if self._progress(name):
                    return
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    raise
            time.sleep(0.2)
        raise BrowserError(f"{name} has no server at {self.site} after {_PENDING_SECONDS:.0f} s")

    def _progress(self, name: str) -> bool:
        """Whether the hub said that the server is ready; False when it said nothing more."""
        request = urllib.request.Request(f"{self.site}/hub/api/users/{name}/server/progress")
        with self.opener.open(request, timeout=self.patience) as stream:
            for line in stream:
                if line.startswith(b"data:"):
                    event = json.loads(line[5:])
                    if event.get("failed"):
                        raise BrowserError(f"{name} gets no server at {self.site}: {event}")
                    if event.get("ready"):
                        return True
        return False

    def open_server(self, name: str) -> None:
        """Be let in by the person's server (OAuth by the hub), and have its API answer."""
        self.request("GET", f"/user/{name}/lab")
        status, text, _ = self.request("GET", f"/user/{name}/api/status")
        if status != 200 or "started" not in json.loads(text):
            raise BrowserError(f"the server of {name} at {self.site} does not answer: {status} {text[:500]}")

    def stop_server(self, name: str) -> None:
        """Stop the person's server; it may still be ending."""
        status, text, _ = self.request("DELETE", f"/hub/api/users/{name}/server")
        if status not in (202, 204):
            raise BrowserError(f"the server of {name} at {self.site} does not stop: {status} {text[:500]}")

    def server_is_gone(self, name: str) -> bool:
        """Whether the hub would start a new one."""
        _, text, _ = self.request("GET", f"/hub/api/users/{name}")
        found = json.loads(text)
        return not found["pending"] and not found["servers"]
