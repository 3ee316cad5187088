"""What the workers of one run make once between them: the first that needs it leaves it for the others, who wait."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

from operate.steps import wait_for

FOLDER = "ELAB_TESTS_SHARED"
"""The variable with the folder of this run; tests/conftest.py makes and removes it. None: nobody shares."""
PATIENCE = 300.0
"""Seconds that a worker waits for another; a test that asks for what it is making itself would wait for ever."""
T = TypeVar("T")


def shared(name: str, make: Callable[[], T]) -> T:
    """What `make` returns, which may be what it returned in another worker."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return make()
    path = Path(folder) / hashlib.sha256(name.encode()).hexdigest()
    # Tests over the same stacks in the same order come to each at about the same time.
    with path.open("ab+") as file:
        _lock(file, name)
        file.seek(0)
        if written := file.read():
            return pickle.loads(written)  # noqa: S301  written by this very run, in a folder of its own
        found = make()
        file.write(pickle.dumps(found))
    return found


def _lock(file: IO[bytes], name: str) -> None:
    def taken() -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    if not wait_for(name, taken, PATIENCE, every=0.02):
        message = f"{name} was not made within {PATIENCE:g} s"
        raise TimeoutError(message)
