"""Releases that lie in the image's folder: they are known before anything is built."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from .problems import Problem

CHUNK = 1 << 20


def remote(url: str) -> bool:
    """Whether a release is asked for over the network; else it is a file of the image's folder."""
    return url.startswith(("http://", "https://"))


def checksum(path: Path, like: str) -> str:
    """A file's checksum, of the kind of `like`."""
    kind = like.partition(":")[0]
    digest = hashlib.new(kind)
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    return f"{kind}:{digest.hexdigest()}"


def faults(where: str, url: str, wanted: str, source: str, context: Path) -> Iterator[Problem]:
    """What is wrong with a release of the folder: it is not there, or is another one."""
    if not (context / url).is_file():
        yield Problem(
            f"{where}.url",
            f"{url}, which is not in the image's folder",
            "a file there, or an http(s) address",
            "put it there, or correct the path",
        )
        return
    found = checksum(context / url, wanted)
    if found != wanted:
        yield another(where, url, wanted, source, found)


def another(where: str, url: str, wanted: str, source: str, found: str) -> Problem:
    """A release whose checksum is not the published one."""
    return Problem(
        f"{where}.checksum",
        f"{found}, which {url} has",
        f"{wanted}, which {source} published",
        "never take the new one on trust: ask the publisher; if the version was changed, take its own checksum",
    )
