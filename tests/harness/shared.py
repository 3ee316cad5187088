"""What the workers of one run make once between them: the first that needs it leaves it for the others."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

FOLDER = "ELAB_TESTS_SHARED"
"""The variable with the folder of this run; tests/conftest.py makes and removes it. None: nobody shares."""
T = TypeVar("T")


def shared(name: str, make: Callable[[], T]) -> T:
    """What `make` returns, which may be what it returned in another worker."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return make()
    path = Path(folder) / hashlib.sha256(name.encode()).hexdigest()
    if path.exists():
        return pickle.loads(path.read_bytes())  # noqa: S301  written by this very run, in a folder of its own
    found = make()
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(pickle.dumps(found))
    unfinished.replace(path)
    return found
