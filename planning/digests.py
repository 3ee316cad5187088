"""Digests that pin nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from settings import Settings
from settings_checks import images_of, unused_digests

from .findings import Finding


def findings(settings: Settings) -> Iterator[Finding]:
    """Each digest of an image that the stack does not run, with the one that may have been meant."""
    used = [str(image) for image in images_of(settings)]
    for image in unused_digests(settings):
        close = difflib.get_close_matches(image, used, 1)
        yield Finding(
            level="warning",
            where="images.digests",
            what=f"found {image}, which nothing in this stack runs",
            fix=f"write {close[0]}, or remove it" if close else "remove it",
        )
