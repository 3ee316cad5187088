"""Requests to Elasticsearch and Kibana: verified, and repeated while the answer may still become another."""

import base64
import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUSY = frozenset({408, 429, 502, 503, 504})
"""Answers that say: later."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 15.0
_REQUEST_SECONDS = 30.0
_LOGIN_SECONDS = 60.0
"""A server that has just begun refuses everybody until it has read its users."""
_SHOWN = 400


class Unreachable(Exception):
    """No useful answer came in time: the last reason."""


class Refused(Exception):
    """An answer that will not become another: what was asked, the status, and the server's reason."""

    def __init__(self, what: str, status: int, reason: str) -> None:
        super().__init__(f"{what}: answered {status}: {reason}")
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time, so that tests need not wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Client:
    """One server and one user. All waiting together ends with `patience` seconds after the client was made."""

    def __init__(
        self,
        url: str,
        login: tuple[str, str],
        authority: Path | None,
        patience: float,
        clock: Clock,
        *,
        request_seconds: float = _REQUEST_SECONDS,
    ) -> None:
        self.url = url.rstrip("/")
        self._clock = clock
        self._ends = clock.now() + patience
        self._logs_in_until = clock.now() + _LOGIN_SECONDS
        self._request_seconds = request_seconds
        self._authorization = "Basic " + base64.b64encode(":".join(login).encode()).decode()
        context = ssl.create_default_context(cafile=str(authority)) if authority else ssl.create_default_context()
        # The way is inside the cluster: no proxy has a part in it.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401  any JSON
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401  any JSON
        """The answer to a request; `body` is JSON, or bytes with their own content type.

        Raises `Refused`, or `Unreachable` when time is over. Whatever is asked must bear being asked twice.
        """
        sent = {"Authorization": self._authorization, "Accept": "application/json", **(headers or {})}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, content, sent, method=method)
        what, wait = f"{method} {path}", _FIRST_WAIT
        while True:
            try:
                with self._opener.open(request, timeout=self._request_seconds) as answer:
                    text = answer.read()
                    return json.loads(text) if text.strip() else None
            except urllib.error.HTTPError as error:
                reason = self._reason(error)
                early = error.code == 401 and self._clock.now() < self._logs_in_until
                if error.code not in BUSY and not early:
                    raise Refused(what, error.code, reason) from None
                why = f"answered {error.code}: {reason}"
            except urllib.error.URLError as error:
                why = str(error.reason)
            except (OSError, http.client.HTTPException, ValueError) as error:
                why = f"{type(error).__name__}: {error}"
            if self._clock.now() + wait > self._ends:
                raise Unreachable(f"{self.url}: {what}: {why}") from None
            self._clock.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    def found(self, path: str) -> Any:  # noqa: ANN401  any JSON
        """The answer to a GET; None: there is no such thing."""
        try:
            return self.ask("GET", path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    @staticmethod
    def _reason(error: urllib.error.HTTPError) -> str:
        """What the server says, shortened: never what was sent to it."""
        try:
            body = json.loads(error.read())
        except (OSError, ValueError, http.client.HTTPException):
            return error.reason
        told = body.get("error", body) if isinstance(body, dict) else body
        reason = (
            told.get("reason") if isinstance(told, dict) else body.get("message") if isinstance(body, dict) else told
        )
        return str(reason or told)[:_SHOWN]
