"""Contradictions between sections of the settings, each with the way out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from settings_checks import cluster, logging, login, monitoring, placeholders, pools, prod
from settings_checks.images import images_of, missing_digests, unused_digests
from stackfile.problems import Problem

if TYPE_CHECKING:
    from settings import Settings

__all__ = ["cross_checks", "images_of", "missing_digests", "unused_digests"]


def cross_checks(settings: "Settings") -> Iterator[Problem]:
    """Every contradiction between sections."""
    for checks in (pools, placeholders, cluster, login, monitoring, logging, prod):
        yield from checks.problems(settings)
