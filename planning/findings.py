"""What a plan has to say beyond its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that its reader should know: an `error` would fail or harm, a `warning` must be done before an `up`."""

    level: Level
    where: str
    what: str
    fix: str
