"""Kubernetes quantities and durations, as types that know their size."""

import re
from decimal import Decimal
from typing import ClassVar

from stackfile.scalars import Scalar

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_DECIMAL = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_UNITS = _BINARY | _DECIMAL
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Cpu(Scalar):
    """Processor time, in cores or thousandths of one: ``250m``, ``0.5``, ``2``."""

    allowed: ClassVar[str] = "a CPU quantity above 0, in cores or in thousandths with m, no finer than 1m"
    example: ClassVar[str] = "250m"
    pattern: ClassVar[str | None] = r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$"
    accepts_numbers: ClassVar[bool] = True

    @classmethod
    def check(cls, text: str) -> None:
        if not re.fullmatch(cls.pattern or "", text) or cls(text).millicores <= 0:
            raise ValueError

    @property
    def millicores(self) -> int:
        """Thousandths of a core."""
        return int(self[:-1]) if self.endswith("m") else int(Decimal(self) * 1000)


class Bytes(Scalar):
    """An amount of memory or disk, with its unit: ``512Mi``, ``10Gi``, ``1G``."""

    allowed: ClassVar[str] = "a size above 0 with a unit: Ki Mi Gi Ti Pi (powers of 1024) or k M G T P (of 1000)"
    example: ClassVar[str] = "512Mi"
    pattern: ClassVar[str | None] = r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)$"

    @classmethod
    def check(cls, text: str) -> None:
        if re.fullmatch(r"[0-9]+m", text):
            raise ValueError("m means thousandths of a byte to Kubernetes; write Mi or M for megabytes")
        if not re.fullmatch(cls.pattern or "", text) or cls(text).bytes <= 0:
            raise ValueError

    @property
    def bytes(self) -> int:
        """The size in bytes."""
        number = self.rstrip("KMGTPki")
        return int(Decimal(number) * _UNITS[self[len(number) :]])


class DiskSize(Bytes):
    """The size of one disk."""

    largest: ClassVar[str] = "64Ti"
    """Of a volume that any cloud has: Amazon EBS (gp3, io2), Azure's Ultra disks and Google's persistent disks end
    there, each by its own documentation. An image of Ceph's could be larger, and nobody could check its file system."""
    allowed: ClassVar[str] = f"{Bytes.allowed}, and at most {largest}"
    example: ClassVar[str] = "10Gi"

    @classmethod
    def check(cls, text: str) -> None:
        super().check(text)
        if cls(text).bytes > cls(cls.largest).bytes:
            raise ValueError(f"write at most {cls.largest}: no cloud has a larger volume")


class Duration(Scalar):
    """A length of time, with its unit: ``30s``, ``15m``, ``1h``, ``30d``.

    Go's programs count in nanoseconds, which end after 292 years: Prometheus does not start with 110000d.
    """

    longest: ClassVar[str] = "3650d"
    allowed: ClassVar[str] = f"a whole number above 0 with a unit: s, m, h or d; ten years ({longest}) at most"
    example: ClassVar[str] = "1h"
    pattern: ClassVar[str | None] = r"^[0-9]+(s|m|h|d)$"

    @classmethod
    def check(cls, text: str) -> None:
        if not re.fullmatch(cls.pattern or "", text) or cls(text).seconds <= 0:
            raise ValueError
        if cls(text).seconds > cls(cls.longest).seconds:
            raise ValueError(f"write at most {cls.longest}: programs end with an error for what they can't count")

    @property
    def seconds(self) -> int:
        """The length in seconds."""
        return int(self[:-1]) * _SECONDS[self[-1]]


def shown_bytes(size: int) -> str:
    """A size as a person reads it, rounded down to a tenth: ``1.5 GiB``."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if size >= _BINARY[unit]:
            return f"{size * 10 // _BINARY[unit] / 10:g} {unit}B"
    return f"{size} B"


def shown_millicores(millicores: int) -> str:
    """Processor time as a person reads it: ``1.25 cores``."""
    return f"{millicores / 1000:g} cores"
