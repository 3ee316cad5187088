"""What the smoke test's steps share: kubectl, and waiting."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
HERE = Path(__file__).resolve().parent
LAB = HERE.parent / "lab"


def kubectl(*args: str, check: bool = True) -> str:
    """What kubectl prints, as administrator."""
    return subprocess.run([LAB, "kubectl", *args], check=check, capture_output=True, text=True).stdout.strip()


def until(check: Callable[[], T], timeout: float = 120, every: float = 0.3) -> T:
    """Poll until check() is truthy; return what it gave."""
    deadline = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s")
        time.sleep(every)
