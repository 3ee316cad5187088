"""Steps that take a while: each says what it does, and how long it took."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class OperationError(Exception):
    """Something that the person must mend; the message says what and how."""


class Steps:
    """Prints each step as it ends."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    @contextmanager
    def step(self, what: str) -> Generator[None]:
        """A step; its time is printed even where it fails."""
        print(f"==> {what}", flush=True)
        began = time.monotonic()
        try:
            yield
        finally:
            print(f"    {what}: {time.monotonic() - began:.1f} s", flush=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the first step began."""
        return time.monotonic() - self.began


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, text: str | None = None) -> None:
    """Run a command that shows its own output.

    Raises:
        OperationError: it failed, or there is no such program.
    """
    done = _ended(command, env, text, captured=False)
    if done.returncode:
        shown = " ".join(_said(command)[:4])
        raise OperationError(f"`{shown} …` ended with {done.returncode}; what it said stands above")


def output(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, text: str | None = None) -> str:
    """What a command prints.

    Raises:
        OperationError: it failed, with what it said, or there is no such program.
    """
    done = _ended(command, env, text, captured=True)
    if done.returncode:
        name = Path(_said(command)[0]).name
        raise OperationError(f"`{name}` ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _said(command: Sequence[str | Path]) -> list[str]:
    """The command as a person knows it: of a script of this project's, the script."""
    parts = [str(part) for part in command]
    return parts[1:] if parts[0] == sys.executable else parts


def _ended(
    command: Sequence[str | Path], env: Mapping[str, str] | None, text: str | None, *, captured: bool
) -> subprocess.CompletedProcess[str]:
    parts = [str(part) for part in command]
    try:
        with _patience():
            return subprocess.run(parts, env=env, input=text, text=True, check=False, capture_output=captured)
    except FileNotFoundError:
        raise OperationError(f"{command[0]} is not installed, or not on PATH") from None
    except OSError as error:
        raise OperationError(f"{command[0]} can't be run: {error}") from None


@contextmanager
def _patience() -> Generator[None]:
    """Around a program: at a Ctrl-C, of which the terminal tells it too, it ends by its own rules, and then we do.

    `subprocess.run` kills it after a quarter of a second: Pulumi would leave its lock, and steps with an unknown end.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    asked: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if asked:
        raise KeyboardInterrupt


def wait_for(what: str, check: Callable[[], bool], seconds: float, every: float = 0.5) -> bool:
    """Whether something came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(every)
    print(f"    {what}: not within {seconds:.0f} s", file=sys.stderr, flush=True)
    return False
