"""The data streams: which there are, and what the last part of their names is."""

from collections.abc import Mapping
from typing import ClassVar

from components.logging import filebeat, fluent_bit
from stackfile.scalars import Scalar

PIPELINES: Mapping[str, str | None] = {
    **dict.fromkeys(fluent_bit.DATASETS),
    **dict.fromkeys(filebeat.DATASETS),
    "kubernetes.hub": "elab-hub",
    "kubernetes.proxy": "elab-proxy",
    "kubernetes.people": "elab-people",
    "kubernetes.platform": "elab-platform",
}
"""Every dataset that a shipper writes, with the pipeline that its lines go through."""

_LONGEST = 100
"""Bytes of each part: Elastic's naming scheme of data streams."""


class StreamPart(Scalar):
    """The last part of a data stream's name."""

    allowed: ClassVar[str] = "1 to 100 lower-case letters, digits and underscores, no hyphen: a hyphen ends a part"
    example: ClassVar[str] = "elab_prod"
    pattern: ClassVar[str | None] = r"^[a-z0-9][a-z0-9_]{0,99}$"

    @classmethod
    def check(cls, text: str) -> None:
        if not set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789_") or text[:1] in ("", "_"):
            raise ValueError
        if len(text) > _LONGEST:
            raise ValueError


def part_of(instance: str) -> str:
    """An instance's part: its hyphens would end it."""
    return instance.replace("-", "_")


def patterns(datasets: tuple[str, ...], part: str) -> tuple[str, ...]:
    """The data streams of these datasets."""
    return tuple(f"logs-{dataset}-{part}" for dataset in datasets)
