"""What the Jupyter server is told: its proxy's applications, their launcher buttons, and what counts as use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jupyter_server_proxy
from jupyter_server.utils import url_path_join
from jupyter_server_proxy.config import ServerProcess
from jupyter_server_proxy.unixsock import UnixResolver
from tornado.httpclient import AsyncHTTPClient, HTTPError
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from traitlets import Unicode

from . import ending
from .built import WRITTEN, entry_points

FOLDER = Path(__file__).parents[1]
PATIENCE = 5.0
"""Seconds for one look at whether an application is ready."""


class Application(ServerProcess):
    """An application that is ready once its ready path answers without an error, and not once it listens."""

    ready = Unicode("/")

    def make_proxy_handler(self) -> tuple[type | None, dict]:
        """The proxy's handler, with that one difference."""
        made, options = super().make_proxy_handler()
        base: Any = made
        ready = self.ready

        class Handler(base):
            async def _http_ready_func(self, process: object) -> bool:  # noqa: ARG002
                path = url_path_join(self.base_url, self.name, ready) if self.absolute_url else ready
                if self.unix_socket is None:
                    client = AsyncHTTPClient(force_instance=True)
                else:
                    resolver = UnixResolver(self.unix_socket)
                    client = SimpleAsyncHTTPClient(force_instance=True, resolver=resolver)
                try:
                    await client.fetch(
                        f"http://localhost:{self.port}{path}",
                        follow_redirects=False,
                        headers=self.get_request_headers_override(),
                        request_timeout=PATIENCE,
                    )
                except HTTPError as error:
                    return 300 <= error.code < 400
                except OSError:
                    return False
                finally:
                    client.close()
                return True

        return Handler, options


def configure(c: Any, folder: Path = FOLDER) -> None:  # noqa: ANN401 (traitlets' configuration)
    """Tell the server about the applications that lie in `folder`."""
    ending.wait_at_exit()
    found = json.loads((folder / WRITTEN).read_text(encoding="utf-8"))
    c.ServerProxy.servers = {one["name"]: process(one) for one in found}
    hidden = {one["entry_point"] for one in found}
    others = jupyter_server_proxy.get_entrypoint_server_processes

    def remaining() -> list[ServerProcess]:
        return [one for one in others() if one.name not in hidden]

    # An application that a package brings has its button already, with the title and time-out of its file.
    setattr(jupyter_server_proxy, "get_entrypoint_server_processes", remaining)  # noqa: B010 (a function of its own)


def process(one: dict[str, Any]) -> Application:
    """An application as the proxy takes it."""
    name = one["name"]
    given = {
        "timeout": float(one["timeout"]),
        "launcher_entry": {"title": one["title"], "icon_path": one["icon"], "category": one["category"]},
        # Paths as the proxy sees them begin with the person's address.
        "exclude_last_activity_patterns": [f".*?/{name}/(?:{pattern})$" for pattern in one["idle_requests"]],
        "ready": one["ready"],
    }
    if one["entry_point"]:
        return Application(name=name, **{**entry_points()[one["entry_point"]].load()(), **given})
    given.update(
        command=one["command"],
        port=one["port"],
        unix_socket=one["unix_socket"] or None,
        absolute_url=one["absolute_url"],
        environment=one["environment"],
        request_headers_override=one["headers"],
    )
    return Application(name=name, **given)
