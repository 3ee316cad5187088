"""Files that a killed run, or a full disk, must not leave half written."""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path


def write(file: Path, text: str, mode: int = 0o666) -> None:
    """Write a file all at once, or leave it as it was; never readable by more than `mode` says, less the umask."""
    with _unfinished(file, text, mode) as unfinished:
        unfinished.replace(file)


def keep(file: Path, text: str, mode: int = 0o666) -> None:
    """Write a file once, all at once: whoever comes second finds the first's."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with _unfinished(file, text, mode) as unfinished, suppress(FileExistsError):
        file.hardlink_to(unfinished)


@contextmanager
def _unfinished(file: Path, text: str, mode: int) -> Generator[Path]:
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as out:
            out.write(text)
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)
