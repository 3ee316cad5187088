"""A person's browser, as far as logging in and starting a server need one: cookies and XSRF tokens."""

import http.cookiejar
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

_REQUEST_SECONDS = 60.0
_PENDING_SECONDS = 120.0


class BrowserError(Exception):
    """The hub answered otherwise than a person expects."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, after redirects."""

    status: int
    text: str
    url: str


class Browser:
    """One person's session at one hub."""

    def __init__(self, hub: str) -> None:
        """`hub` is the address without a trailing slash."""
        self.hub = hub
        self.cookies = http.cookiejar.CookieJar()
        # No corporate proxy stands between this machine and the lab.
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies), urllib.request.ProxyHandler({})
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        form: dict[str, str] | None = None,
        body: Any = None,  # noqa: ANN401  whatever JSON can say
    ) -> Answer:
        """Ask the hub, or a server behind it; redirects are followed."""
        request = urllib.request.Request(self.hub + path, self._data(form, body), method=method)
        request.add_header("Referer", self.hub + path)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if method != "GET" and form is None:
            request.add_header("X-XSRFToken", self._xsrf(path))
        try:
            with self.opener.open(request, timeout=_REQUEST_SECONDS) as reply:
                return Answer(status=reply.status, text=reply.read().decode(), url=reply.url)
        except urllib.error.HTTPError as error:
            return Answer(status=error.code, text=error.read().decode(errors="replace"), url=error.url or "")

    def log_in(self, name: str, password: str) -> None:
        """Fill in the login page."""
        self.request("GET", "/hub/login")
        token = self._xsrf("/hub/")
        page = f"/hub/login?_xsrf={urllib.parse.quote(token)}&next=%2Fhub%2Fhome"
        answer = self.request("POST", page, form={"username": name, "password": password, "_xsrf": token})
        if answer.status != 200 or not answer.url.endswith("/hub/home"):
            raise BrowserError(f"{name} can't log in at {self.hub}: {answer.status} at {answer.url}")

    def start_server(self, name: str) -> None:
        """Start the person's server and return once the hub has it ready."""
        answer = self.request("POST", f"/hub/api/users/{name}/server", body={})
        if answer.status == 202:
            self._follow(name)
        elif answer.status != 201:
            raise BrowserError(f"{name} gets no server at {self.hub}: {answer.status} {answer.text[:500]}")

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
        raise BrowserError(f"{name} has no server at {self.hub} after {_PENDING_SECONDS:.0f} s")

    def _progress(self, name: str) -> bool:
        """Whether the hub said that the server is ready; False when it said nothing more."""
        request = urllib.request.Request(f"{self.hub}/hub/api/users/{name}/server/progress")
        with self.opener.open(request, timeout=_REQUEST_SECONDS) as stream:
            for line in stream:
                if line.startswith(b"data:"):
                    event = json.loads(line[5:])
                    if event.get("failed"):
                        raise BrowserError(f"{name} gets no server at {self.hub}: {event}")
                    if event.get("ready"):
                        return True
        return False

    def open_server(self, name: str) -> None:
        """Be let in by the person's server (OAuth by the hub), and have its API answer."""
        self.request("GET", f"/user/{name}/lab")
        answer = self.request("GET", f"/user/{name}/api/status")
        if answer.status != 200 or "started" not in json.loads(answer.text):
            raise BrowserError(
                f"the server of {name} at {self.hub} does not answer: {answer.status} {answer.text[:500]}"
            )

    def stop_server(self, name: str) -> None:
        """Stop the person's server; it may still be ending."""
        answer = self.request("DELETE", f"/hub/api/users/{name}/server")
        if answer.status not in (202, 204):
            raise BrowserError(f"the server of {name} at {self.hub} does not stop: {answer.status} {answer.text[:500]}")

    def server_is_gone(self, name: str) -> bool:
        """Whether the hub would start a new one."""
        found = json.loads(self.request("GET", f"/hub/api/users/{name}").text)
        return not found["pending"] and not found["servers"]

    def _data(self, form: dict[str, str] | None, body: Any) -> bytes | None:  # noqa: ANN401
        if form is not None:
            return urllib.parse.urlencode(form).encode()
        return None if body is None else json.dumps(body).encode()

    def _xsrf(self, path: str) -> str:
        tokens = [cookie for cookie in self.cookies if cookie.name == "_xsrf" and path.startswith(cookie.path)]
        return max(tokens, key=lambda cookie: len(cookie.path)).value or "" if tokens else ""
