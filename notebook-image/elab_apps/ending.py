"""The server's end: applications are told to end with it, and save what they hold, if they are left the time.

jupyter-server-proxy passes the signal on to them and ends the server at once. With it ends the container, in which
everything is killed then: OpenRefine would lose all since its last autosave.
"""

from __future__ import annotations

import atexit
import os
import time
from pathlib import Path

PATIENCE = 8.0
"""Seconds, of the 10 that the hub gives a server for its end."""
PAUSE = 0.05
"""Seconds between two looks."""


def wait_at_exit(patience: float = PATIENCE) -> None:
    """Have this process wait for the applications that it started, when it ends."""
    atexit.register(_wait, patience)


def _wait(patience: float) -> None:
    deadline = time.monotonic() + patience
    while _applications() and time.monotonic() < deadline:
        time.sleep(PAUSE)


def _applications() -> list[int]:
    """This process' children that run in its own group: kernels and terminals, which save nothing, have others."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = stat.read_text(errors="replace").rpartition(") ")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(parent) == os.getpid() and int(group) == os.getpgrp() and state != "Z":
            found.append(int(stat.parent.name))
    return found
