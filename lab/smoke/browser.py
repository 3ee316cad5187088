"""A person's browser, as far as a login, an API call and a kernel's channel need one."""

import base64
import http.cookiejar
import json
import os
import socket
import struct
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

Answer = tuple[int, str, str]  # HTTP status, text, and the address after all redirections


class Browser:
    """A person's browser: keeps cookies and sends back the XSRF token of the page it is on."""

    patience = 30
    """Seconds that a request may take."""

    def __init__(self, site: str, cookies: http.cookiejar.CookieJar | None = None) -> None:
        """Somebody who opens this site, with the cookies of other sites that they have been to."""
        self.site = site
        self.cookies = http.cookiejar.CookieJar() if cookies is None else cookies
        # No corporate proxy stands between this machine and the lab.
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies), urllib.request.ProxyHandler({})
        )

    def xsrf(self, path: str) -> str:
        """The token of the page that the path belongs to."""
        host = urllib.parse.urlsplit(self.site).hostname
        tokens = [
            cookie
            for cookie in self.cookies
            # The jar gives a name without a dot the domain .local.
            if cookie.name == "_xsrf" and cookie.domain in (host, f"{host}.local") and path.startswith(cookie.path)
        ]
        return (max(tokens, key=lambda cookie: len(cookie.path)).value or "") if tokens else ""

    def request(
        self, method: str, path: str, form: dict[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> Answer:
        """Ask, and follow redirections; refusals are answers too."""
        data = (
            urllib.parse.urlencode(form).encode() if form else json.dumps(body).encode() if body is not None else None
        )
        request = urllib.request.Request(self.site + path, data, method=method)
        request.add_header("Referer", self.site + path)
        if method != "GET" and not form:
            request.add_header("X-XSRFToken", self.xsrf(path))
            request.add_header("Content-Type", "application/json")
        try:
            with self.opener.open(request, timeout=self.patience) as reply:
                return reply.status, reply.read().decode(), reply.url
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace"), error.url

    def login(self, name: str, password: str, then: str | None = None) -> Answer:
        """Send the login form; ``then`` is the page to be led to, the hub's own choice without."""
        self.request("GET", "/hub/login")
        token = self.xsrf("/hub/")
        query = {"_xsrf": token} | ({"next": then} if then else {})
        return self.request(
            "POST",
            f"/hub/login?{urllib.parse.urlencode(query)}",
            form={"username": name, "password": password, "_xsrf": token},
        )


class WebSocket:
    """Just enough of a WebSocket client for small JSON messages."""

    def __init__(self, browser: Browser, path: str) -> None:
        request = urllib.request.Request(browser.site + path)
        browser.cookies.add_cookie_header(request)
        address = urllib.parse.urlsplit(browser.site)
        self.socket = socket.create_connection((address.hostname or "", address.port or 80), timeout=60)
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(
            (
                f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
                f"Cookie: {request.get_header('Cookie')}\r\n\r\n"
            ).encode()
        )
        status = self.stream.readline().decode()
        if " 101 " not in status:
            raise OSError(f"no WebSocket: {status}")
        while self.stream.readline().strip():
            pass

    def send(self, message: dict[str, Any] | list[str]) -> None:
        """Send one message."""
        data, mask = json.dumps(message).encode(), os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        self.socket.sendall(struct.pack(">BBH", 0x81, 0x80 | 126, len(data)) + mask + masked)

    def receive(self) -> dict[str, Any]:
        """The next text message; anything else counts as an empty one."""
        kind, length = struct.unpack(">BB", self.stream.read(2))
        if length == 126:
            (length,) = struct.unpack(">H", self.stream.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self.stream.read(8))
        data = self.stream.read(length)
        return json.loads(data) if kind == 0x81 else {}

    def close(self) -> None:
        """End the connection."""
        self.socket.close()
