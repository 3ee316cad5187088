"""Getting releases: nothing is used whose checksum is not the published one."""

from __future__ import annotations

import http.client
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from .applications import Application, Download
from .files import CHUNK, another, checksum, remote
from .problems import ApplicationsError, Problem

TIMEOUT = 60.0
"""Seconds without a byte."""
ATTEMPTS = 3
PAUSE = 2.0
"""Seconds before another attempt, more each time."""


def fetch(application: Application, download: Download, context: Path, cache: Path, folder: Path) -> Path:
    """The verified release in `folder`; `cache`, which is kept between builds, holds it by its checksum.

    Raises:
        ApplicationsError: it can't be had, or is not what was published.
    """
    where = f"{application.downloads_from}.{application.downloads.index(download)}"
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / download.checksum.replace(":", "-")
    if not kept.is_file() or checksum(kept, download.checksum) != download.checksum:
        # Platforms that are built at once share the cache: each has a file of its own until it is verified.
        with tempfile.TemporaryDirectory(dir=cache) as own:
            fresh = Path(own, download.file)
            try:
                _get(download.url, context, fresh)
            except (OSError, http.client.HTTPException) as error:
                raise ApplicationsError([_unreachable(where, download, error)]) from None
            found = checksum(fresh, download.checksum)
            if found != download.checksum:
                problem = another(where, download.url, download.checksum, download.source, found)
                raise ApplicationsError([problem])
            fresh.replace(kept)
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(kept, folder / download.file))


def _get(url: str, context: Path, to: Path) -> None:
    if not remote(url):
        shutil.copy(context / url, to)
        return
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, to.open("wb") as file:
                shutil.copyfileobj(answer, file, CHUNK)
                # urllib takes a connection that breaks for the end of the file.
                if answer.length:
                    raise http.client.IncompleteRead(b"", answer.length)
        except urllib.error.HTTPError as error:
            # What is not there now won't be there in a moment.
            if error.code < 500 or attempt == ATTEMPTS:
                raise
        except (OSError, http.client.HTTPException):
            if attempt == ATTEMPTS:
                raise
        else:
            return
        time.sleep(PAUSE * attempt)


def _unreachable(where: str, download: Download, error: Exception) -> Problem:
    return Problem(
        f"{where}.url",
        f"{download.url}: {error}",
        "an address that this build reaches, or a file within the image's folder",
        "correct it, or name a mirror: a file of downloads as build argument DOWNLOADS",
    )
