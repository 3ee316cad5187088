"""A server extension that lets the network arrive before jupyterhub-singleuser asks the hub who it is.

A new pod's neighbours learn by and by that they may talk to it: network policies follow the pod's address. JupyterHub's
own extension, which is loaded after this one, sleeps for two seconds when the hub refuses its first request.
"""

from __future__ import annotations

import os
import socket
import time
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 10.0
"""Seconds; then JupyterHub's extension tries, and says what is wrong."""
ATTEMPT = 0.25
"""Seconds for one connection: what is dropped, not refused, would be tried again by the kernel after one."""
PAUSE = 0.02
"""Seconds between two attempts."""


def reached(host: str, port: int, patience: float) -> bool:
    """Whether a connection was accepted in time."""
    deadline = time.monotonic() + patience
    while True:
        try:
            socket.create_connection((host, port), timeout=ATTEMPT).close()
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(PAUSE)
        else:
            return True


def _load_jupyter_server_extension(app: Any) -> None:  # noqa: ANN401
    """Wait for the hub, if there is one."""
    hub = urlsplit(os.environ.get("JUPYTERHUB_API_URL", ""))
    if hub.hostname:
        begun = time.monotonic()
        port = hub.port or (443 if hub.scheme == "https" else 80)
        if not reached(hub.hostname, port, PATIENCE):
            app.log.warning("The hub at %s can't be reached after %.0f s", hub.netloc, time.monotonic() - begun)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """What jupyter_server asks an extension's module."""
    return [{"module": "elab_arrival"}]
