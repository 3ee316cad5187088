"""Commands that change the lab wait for each other."""

import fcntl
import sys
from collections.abc import Generator
from contextlib import contextmanager

from . import settings


@contextmanager
def alone() -> Generator[None]:
    """Be the only command that builds for this lab, starts or stops it; say so where that means to wait.

    Two `make` at once would build the same programs in the same folders, and start everything twice.
    """
    settings.HOME.mkdir(parents=True, exist_ok=True)
    with (settings.HOME / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"lab: waiting for another command that changes the lab in {settings.HOME}", file=sys.stderr, flush=True
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
