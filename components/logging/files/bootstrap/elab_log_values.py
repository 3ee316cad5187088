"""What the bootstrap is told: the contract of values.json, which `components/logging/bootstrap.py` writes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class BadValues(Exception):
    """The values file can't be used: why."""


@dataclass(frozen=True, kw_only=True)
class Values:
    """Where things are, and how long logs are kept. No secret is in it."""

    elasticsearch: str
    """Its URL."""
    kibana: str | None
    users: dict[str, str]
    """As whom to log in, by task."""
    retention: str
    """How long a line is kept, in Elasticsearch's units, such as `30d`."""
    rollover: str
    """The age at which a stream's next index is begun. An index goes as a whole, so a line may stay so much longer."""
    namespace: str
    """The last part of every data stream's name: which elab it is of."""
    streams: dict[str, str | None]
    """The datasets, each with the pipeline that its lines go through."""
    snapshots: dict[str, Any] | None
    """`name`, `repository` and `policy`, as Elasticsearch takes them."""
    patience_seconds: float
    """How long to wait for Elasticsearch or Kibana, altogether."""
    pushgateway: str | None
    """Where the audit tells what it found."""

    def stream(self, dataset: str) -> str:
        """The name of a dataset's stream."""
        return f"logs-{dataset}-{self.namespace}"


def read_values(path: Path) -> Values:
    """The values; `BadValues` where the file is missing, is no JSON, or has other keys than the program."""
    try:
        return Values(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise BadValues(f"{path}: {error}") from error


def read_secret(path: Path) -> str:
    """A password from its file."""
    try:
        return path.read_text().strip()
    except OSError as error:
        raise BadValues(f"{path}: {error.strerror}") from error


_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """A time in Elasticsearch's units, in seconds."""
    digits = text.rstrip("dhms")
    try:
        return float(digits) * _UNITS[text[len(digits) :]]
    except (KeyError, ValueError) as error:
        raise BadValues(f"{text!r} is no time, such as 30d") from error
